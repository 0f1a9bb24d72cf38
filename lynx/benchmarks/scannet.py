"""What is said of ScanNet's scans, which several benchmarks ask about: licence, access, size."""

from __future__ import annotations

ACCESS = (
    "fill in ScanNet's terms of use (http://www.scan-net.org), mail the signed PDF from an "
    "institutional address and wait some days for download-scannet.py, which fetches the scans"
)
LICENCE = "scenes under ScanNet's terms of use: no frame of them may be passed on"
DISK = (
    "about 1.2 to 1.3 TB for the .sens files of all ScanNet scans (published, not measured); about "
    "10 GB for the 32 frames of each that are prepared (estimate)"
)
