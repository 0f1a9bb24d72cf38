"""The device of this process: what the site asks for; among several ranks the rank's own GPU."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lynx.errors import InputError
from lynx.ranks.place import STORE, here

if TYPE_CHECKING:
    import torch

    from lynx.config.files import SiteConfig

CUBLAS_WORKSPACE = ":4096:8"
"""With buffers of its own cuBLAS sums in one order (NVIDIA's page on its reproducibility)."""


def pick_device(site: SiteConfig) -> torch.device:
    """The site's device, with its CPU threads set; bit-equal reruns need the same number.

    Where the site asks for deterministic kernels, an operation that has none raises RuntimeError. A
    rank of several has its own GPU. Asking for a GPU where torch sees none is an InputError.
    """
    import torch  # a stage that computes nothing must not import it

    torch.set_num_threads(site.threads)
    if site.deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = CUBLAS_WORKSPACE  # read when CUDA starts
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    if site.device == "cpu" or (site.device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InputError(
            "site.device: cuda is asked for but no GPU is visible to torch; "
            "set it to auto or cpu, or run on a GPU node"
        )
    if STORE not in os.environ:
        return torch.device("cuda")
    own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    torch.cuda.set_device(own)
    return own


def device_name(device: torch.device) -> str:
    """What the manifest records: `cpu` with its threads, or the GPU's name; whether its kernels are
    deterministic ones; and how many ranks.
    """
    import torch  # as above

    name = f"cpu, {torch.get_num_threads()} threads"
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    if torch.are_deterministic_algorithms_enabled():
        name += ", deterministic"
    count = here().count
    return name if count == 1 else f"{count} x {name}"
