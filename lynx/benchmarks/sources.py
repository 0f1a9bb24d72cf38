"""Where a benchmark's raw data come from: official files, published counts, licence, form, size.

What is not known stands here as None, never as a guess. Names of files are the readers' own.
"""

from __future__ import annotations

from dataclasses import replace

from lynx.benchmarks import (
    avqa,
    avsd,
    egoexo,
    llava_video,
    mlvu,
    music_avqa,
    music_avqa_original,
    mvbench,
    scanqa,
    sqa3d,
    videomme,
    videomme_subtitles,
)
from lynx.benchmarks.source import Source, SplitSource, counted, quoted
from lynx.errors import InputError

_SCANS = (
    "fill in ScanNet's terms of use (http://www.scan-net.org), mail the signed PDF from an "
    "institutional address and wait some days for download-scannet.py, which fetches the scans"
)
_SCANS_LICENCE = "scenes under ScanNet's terms of use: no frame of them may be passed on"
_SCANS_DISK = (
    "about 1.2 to 1.3 TB for the .sens files of all ScanNet scans (published, not measured); about "
    "10 GB for the 32 frames of each that are prepared (estimate)"
)

_SCANQA = Source(
    splits={
        "train": SplitSource(
            (scanqa.FILES["train"],), quoted(25_563, "questions"), quoted(562, "scenes")
        ),
        "val": SplitSource(
            (scanqa.FILES["val"],), quoted(4_675, "questions"), quoted(71, "scenes")
        ),
        "test_w_obj": SplitSource(
            (scanqa.FILES["test_w_obj"],),
            quoted(4_976, "questions"),
            quoted(70, "scenes"),
            answers_public=False,
        ),
    },
    further=(scanqa.INSTRUCT,),
    licence=f"questions CC BY-NC-SA 3.0; {_SCANS_LICENCE}",
    access=(
        "the JSON files lie on the public drive that the ScanQA repository "
        f"(https://github.com/ATR-DBI/ScanQA) links to, no form; for the scenes {_SCANS}"
    ),
    disk=f"some MB of JSON; {_SCANS_DISK}",
)

_SQA3D = Source(
    splits={
        "train": SplitSource(
            (sqa3d.QUESTIONS["train"], sqa3d.ANNOTATIONS["train"]), quoted(26_623, "questions")
        ),
        "val": SplitSource(
            (sqa3d.QUESTIONS["val"], sqa3d.ANNOTATIONS["val"]), quoted(3_261, "questions")
        ),
        "test": SplitSource(
            (sqa3d.QUESTIONS["test"], sqa3d.ANNOTATIONS["test"]),
            counted(3_519, "questions"),
            counted(67, "scenes"),
        ),
    },
    further=(sqa3d.INSTRUCT,),
    licence=f"questions CC BY 4.0; {_SCANS_LICENCE}",
    access=(
        "the archive is Zenodo's record 7792397 (https://zenodo.org/records/7792397), no form; for "
        f"the scenes {_SCANS}"
    ),
    disk=f"some MB of JSON; {_SCANS_DISK}",
)

_AVQA = Source(
    splits={
        "train": SplitSource((avqa.FILES["train"],), quoted(40_425, "questions")),
        "val": SplitSource((avqa.FILES["val"],), quoted(16_910, "questions")),
    },
    further=(avqa.INSTRUCT, avqa.MAPPING),
    licence=(
        "questions for research, no licence file is known; VGGSound's list is CC BY 4.0, its clips "
        "are YouTube's content"
    ),
    access=(
        "the JSON files lie on the AVQA site (mn.cs.tsinghua.edu.cn/avqa) and in the repository "
        "AlyssaYoung/AVQA, no form; the clips are VGGSound's, on the Hugging Face hub in "
        "Loie/VGGSound, or those of AVQA alone in zhuomingliu/PAVE_others"
    ),
    disk="tens of MB of JSON; clips about 60 to 100 GB (estimate)",
)

_MUSIC_AVQA_COUNTS = {
    "Audio Counting": 1_017,
    "Audio Comparative": 594,
    "Visual Counting": 1_197,
    "Visual Location": 1_225,
    "Audio-Visual Existential": 988,
    "Audio-Visual Counting": 1_265,
    "Audio-Visual Location": 920,
    "Audio-Visual Comparative": 1_101,
    "Audio-Visual Temporal": 822,
}
_MUSIC_AVQA = Source(
    splits={
        # Training's published counts are of the first release, or rounded: neither is this file's.
        "train": SplitSource((music_avqa.FILES["train"],)),
        "val": SplitSource((music_avqa.FILES["val"],), counted(4_568, "questions")),
        "test": SplitSource(
            (music_avqa.FILES["test"],),
            counted(9_129, "questions"),
            groups={
                kind: counted(count, "questions") for kind, count in _MUSIC_AVQA_COUNTS.items()
            },
        ),
    },
    further=(music_avqa.INSTRUCT, music_avqa.MAPPING),
    licence="questions under the repository's MIT licence; videos for research",
    access=(
        "the JSON files lie in data/ of the repository GeWu-Lab/MUSIC-AVQA, which links to public "
        "drives with the videos, no form"
    ),
    disk="videos 36.67 GB recorded and 11.59 GB synthetic; some MB of JSON",
)

_MUSIC_AVQA_ORIGINAL = replace(
    _MUSIC_AVQA,
    splits={"test": SplitSource((music_avqa_original.FILES["test"],), counted(9_185, "questions"))},
    further=(music_avqa.MAPPING,),
)

_AVSD = Source(
    splits={
        # One dialog a video, so that the videos count the dialogs; samples are pieces of them. The
        # count is of DSTC7's file: how many avsd_train.json holds, no source says for sure.
        "train": SplitSource(
            (avsd.FILES["train"],),
            clips=counted(7_659, "dialogs"),
            counted_file=avsd.DSTC7_TRAIN,
        ),
        "test": SplitSource((avsd.FILES["test"],), counted(1_710, "dialogs")),
    },
    further=(avsd.DSTC7_TRAIN, avsd.INSTRUCT, avsd.MAPPING),
    licence=(
        "Charades' videos under AI2's non-commercial licence, accepted by downloading; no licence "
        "of the dialogs is known"
    ),
    access=(
        "the dialogs lie on public drives (video-dialog.com, and the repositories of the DSTC7 and "
        "DSTC10 AVSD tracks), the videos on the page of Charades; no signature"
    ),
    disk=(
        "Charades_v1 about 13 GB at 480p, about 55 GB in original size (published, not measured), "
        "and the test videos, a tar of their own"
    ),
)

_EGOEXO = Source(
    splits={
        "train": SplitSource((egoexo.OFFICIAL["train"], egoexo.INSTRUCT["train"])),
        # The prompt that validation is asked with stands in the training file.
        "val": SplitSource((egoexo.OFFICIAL["val"], egoexo.INSTRUCT["train"])),
    },
    further=(egoexo.INSTRUCT["val"], egoexo.MAPPING),
    licence="Ego-Exo4D's licence agreement, signed by each person or institution",
    access=(
        "sign the licence on the Ego-Exo4D site, wait about two days for AWS keys, which expire, "
        "and fetch with `egoexo` (pip install ego4d); the prompt is in PAVE's data release"
    ),
    disk=(
        "the 448-pixel takes of this benchmark: not known; the annotations of everything take "
        "10.5 GB, the full-size takes 10.6 TB"
    ),
)

_LLAVA_VIDEO = Source(
    splits={
        # About 57,000 videos and 114,000 questions are taken, which is rounded: no count of these.
        "train": SplitSource(tuple(map(llava_video.official_file, llava_video.CONFIGS)))
    },
    further=tuple(
        name
        for config in llava_video.CONFIGS
        for name in (*llava_video.chosen_files(config), *llava_video.mapping_files(config))
    ),
    licence=(
        "for academic use; the text is GPT-4o's, under OpenAI's terms too, and the videos stay "
        "under those of their sources"
    ),
    access=(
        "the archives and JSON files lie in lmms-lab/LLaVA-Video-178K on the Hugging Face hub, no "
        "form"
    ),
    disk=(
        "150 to 180 GB for each of the two youtube configurations (published, not measured); of "
        "the two academic ones not known, a shorter one takes about 50 GB"
    ),
)

_VIDEOMME_SPLIT = SplitSource(
    (videomme.TABLES,),
    counted(2_700, "questions"),
    counted(900, "videos"),
    groups={name: counted(900, "questions") for name in videomme.DURATIONS},
)
_VIDEOMME = Source(
    splits={"test": _VIDEOMME_SPLIT},
    further=(videomme.TABLE,),
    licence="for research, no redistribution; the videos are YouTube's content",
    access=(
        "the table, archives of videos and of subtitles lie in lmms-lab/Video-MME on the Hugging "
        "Face hub, no form; take the state after June 2024, when broken videos were replaced"
    ),
    disk="about 100 GB of archives (published, not measured), and as much unpacked",
)

# 744 of the 900 videos have subtitles, and every video three questions.
_VIDEOMME_SUBTITLES = replace(
    _VIDEOMME,
    splits={
        "test": replace(
            _VIDEOMME_SPLIT,
            groups={
                videomme_subtitles.SUBTITLED: counted(744 * 3, "questions"),
                videomme_subtitles.NOT_SUBTITLED: counted(156 * 3, "questions"),
            },
        )
    },
)

_MVBENCH = Source(
    splits={
        split: SplitSource(
            tuple(f"json/{task}.json" for task in tasks),
            counted(200 * len(tasks), "questions"),
            groups={task: counted(200, "questions") for task in tasks},
        )
        for split, tasks in mvbench.SPLITS.items()
    },
    further=(),
    licence="MIT for the questions; the videos stay under the terms of their 11 sources",
    access=(
        "accept the terms of OpenGVLab/MVBench on the Hugging Face hub with name, organisation "
        "and mail; the videos of fine_grained_pose (NTU RGB+D) need a request of their own there"
    ),
    disk="about 17 GB (published, not measured)",
)

_MLVU_COUNTS = {
    "plotQA": 539,
    "needle": 355,
    "ego": 352,
    "count": 206,
    "order": 259,
    "anomaly_reco": 200,
    "topic_reasoning": 264,
}
_MLVU = Source(
    splits={
        "dev": SplitSource(
            tuple(f"json/{stem}.json" for stem in mlvu.TASKS.values()),
            counted(2_175, "questions"),
            groups={task: counted(count, "questions") for task, count in _MLVU_COUNTS.items()},
        )
    },
    further=(),
    licence="CC BY-NC-SA 4.0",
    access="accept the agreement of MLVU/MVLU on the Hugging Face hub",
    disk="not known; plan for several hundred GB",
)

SOURCES: dict[str, Source] = {
    "avqa": _AVQA,
    "avsd": _AVSD,
    "egoexo": _EGOEXO,
    "llava_video": _LLAVA_VIDEO,
    "mlvu": _MLVU,
    "music_avqa": _MUSIC_AVQA,
    "music_avqa_original": _MUSIC_AVQA_ORIGINAL,
    "mvbench": _MVBENCH,
    "scanqa": _SCANQA,
    "sqa3d": _SQA3D,
    "videomme": _VIDEOMME,
    "videomme_subtitles": _VIDEOMME_SUBTITLES,
}


def get_source(name: str) -> Source:
    """The source of a benchmark, by its exact name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in SOURCES:
        raise InputError(
            f"benchmark: found {name!r}, expected one of {', '.join(sorted(SOURCES))}; correct the "
            "name"
        )
    return SOURCES[name]
