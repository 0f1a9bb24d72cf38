"""Stored streams: what is read is what was added, from any number of shards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import list_files
from lynx.artifacts.verify import hash_problems
from lynx.errors import InputError
from lynx.features.store import StoredTokens, StoreWriter, write_store
from lynx.features.streamed import KEPT_CLIPS, StreamedTokens
from tests.tiny_model import random_pixels

CLIPS = [f"scene{index:04d}_00" for index in range(7)]


def tokens(index: int, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    """Tokens (10 + index, 48) of a clip."""
    return random_pixels(10 + index, 48, seed=index).to(dtype)


def opened(folder: Path) -> StoredTokens:
    """A stream as it was written, whatever is done to it now."""
    return StoredTokens.open(folder, list_files(folder))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_round_trip(tmp_path: Path, dtype: torch.dtype) -> None:
    """Every clip comes back bit for bit in its own length and dtype."""
    count = write_store(tmp_path, ((clip, tokens(i, dtype)) for i, clip in enumerate(CLIPS)))
    stored = opened(tmp_path)
    assert count == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index.jsonl",
        "tokens-00000.safetensors",
    ]
    for index in (3, 0, 6, 3):
        found = stored.read(CLIPS[index])
        assert found.dtype == dtype
        assert torch.equal(found, tokens(index, dtype))


def test_shards(tmp_path: Path) -> None:
    """A shard is closed when it reaches its size; the index says where each clip is."""
    size = tokens(0).nbytes  # the clips grow, so that every two of them pass twice the first
    writer = StoreWriter(tmp_path, shard_bytes=2 * size)
    for index, clip in enumerate(CLIPS):
        writer.add(clip, tokens(index))
    assert writer.close() == 7
    lines = (tmp_path / "index.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"clip": clip, "shard": f"tokens-{index // 2:05d}.safetensors", "tokens": 10 + index}
        for index, clip in enumerate(CLIPS)
    ]
    assert sorted(load_file(tmp_path / "tokens-00003.safetensors")) == CLIPS[6:]
    stored = opened(tmp_path)
    assert all(torch.equal(stored.read(clip), tokens(i)) for i, clip in enumerate(CLIPS))


def test_a_view_is_stored_alone(tmp_path: Path) -> None:
    """A slice of a larger tensor is stored as its own values, not with what lies around it."""
    whole = random_pixels(20, 48)
    write_store(tmp_path, [("a", whole[:, :24]), ("b", whole[5:])])
    stored = opened(tmp_path)
    assert torch.equal(stored.read("a"), whole[:, :24])
    assert torch.equal(stored.read("b"), whole[5:])


def test_views_of_one_tensor(tmp_path: Path) -> None:
    """Two clips that are rows of one batch are stored apart."""
    batch = random_pixels(2, 10, 48)
    write_store(tmp_path, [("a", batch[0]), ("b", batch[1])])
    stored = opened(tmp_path)
    assert torch.equal(stored.read("a"), batch[0])
    assert torch.equal(stored.read("b"), batch[1])


@pytest.mark.parametrize("flushed", [False, True])
def test_a_clip_is_added_once(tmp_path: Path, flushed: bool) -> None:
    """Twice is a mistake of the caller, also across shards."""
    writer = StoreWriter(tmp_path, shard_bytes=1 if flushed else 1 << 30)
    writer.add("a", tokens(0))
    with pytest.raises(ValueError, match=r"^clip a was added twice$"):
        writer.add("a", tokens(1))


def test_no_clips(tmp_path: Path) -> None:
    """An empty stream is an empty index and no shard."""
    assert write_store(tmp_path, []) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["index.jsonl"]
    assert opened(tmp_path).shards == {}


def test_unknown_clip(tmp_path: Path) -> None:
    """One sentence: which stream, which clip, what to do."""
    write_store(tmp_path, [("a", tokens(0)), ("b", tokens(1))])
    with pytest.raises(InputError) as caught:
        opened(tmp_path).read("scene0707_00")
    assert str(caught.value) == (
        f"{tmp_path}: no tokens of clip scene0707_00, expected one of 2; "
        "run the features rule again"
    )


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        opened(folder)
    return str(caught.value)


def test_a_missing_or_cut_index(tmp_path: Path) -> None:
    """One sentence: which file, which line, what to do."""
    index = tmp_path / "index.jsonl"
    assert refusal(tmp_path) == (
        f"{index}: missing, expected the index of a token stream; run the features rule again"
    )
    write_store(tmp_path, [("a", tokens(0)), ("b", tokens(1))])
    whole = index.read_text(encoding="utf-8")
    index.write_text(whole[: whole.index("\n") + 7], encoding="utf-8")
    assert refusal(tmp_path) == (
        f"{index}, line 2: '{{\"clip' found, expected a clip and its shard; "
        "the index was cut or changed, so run the features rule again"
    )
    index.write_text('{"clip": "a"}\n', encoding="utf-8")
    assert refusal(tmp_path).startswith(f'{index}, line 1: \'{{"clip": "a"}}\' found')


def test_a_missing_or_cut_shard(tmp_path: Path) -> None:
    """Told when the stream is opened, not when training has come to the clip."""
    write_store(tmp_path, [("a", tokens(0)), ("b", tokens(1))])
    shard = tmp_path / "tokens-00000.safetensors"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1])
    sentence = refusal(tmp_path)
    assert sentence.startswith(f"{shard}: not whole (")
    assert sentence.endswith("); run the features rule again")
    shard.unlink()
    assert refusal(tmp_path) == (
        f"{shard}: missing, expected the tokens of 2 clips; run the features rule again"
    )
    save_file({"a": tokens(0)}, shard)
    assert refusal(tmp_path) == (
        f"{shard}: no tokens of clip b, which the index places there; run the features rule again"
    )


def test_a_changed_bit_is_found_before_its_shard_is_read(tmp_path: Path) -> None:
    """In every shard, and the clips of the others can be read."""
    writer = StoreWriter(tmp_path, shard_bytes=1)
    for index, clip in enumerate(CLIPS):
        writer.add(clip, tokens(index))
    writer.close()
    stored, shard = opened(tmp_path), tmp_path / "tokens-00002.safetensors"
    before, data = hash_file(shard), shard.read_bytes()
    shard.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert torch.equal(stored.read(CLIPS[1]), tokens(1))
    for _ in range(2):  # what was refused is not taken the next time
        with pytest.raises(InputError) as caught:
            stored.read(CLIPS[2])
        assert str(caught.value) == (
            f"{shard}: sha256 {hash_file(shard)[:12]}... found, {before[:12]}... expected; the "
            "file was changed, so run its rule again"
        )


def test_a_shard_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_store(tmp_path, ((clip, tokens(i)) for i, clip in enumerate(CLIPS)))
    stored, hashed = opened(tmp_path), list[Path]()

    def counted(path: Path, expected: str) -> Iterator[str]:
        hashed.append(path)
        yield from hash_problems(path, expected)

    monkeypatch.setattr("lynx.features.store.hash_problems", counted)
    for clip in (*CLIPS, *CLIPS):
        stored.read(clip)
    assert hashed == [tmp_path / "tokens-00000.safetensors"]


class CountingEncoder:
    """Encodes by counting up, so that a second encoding would be seen."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def encode(self, clip: str) -> torch.Tensor:
        self.calls.append(clip)
        return torch.full((3, 4), float(len(self.calls)))


def test_streamed_clips_are_encoded_once_while_recent() -> None:
    """Architecture, rule 8: a clip's batches encode it once; memory holds a few clips."""
    encoder = CountingEncoder()
    source = StreamedTokens(encoder)  # type: ignore[arg-type]
    assert torch.equal(source.read("a"), source.read("a"))
    assert encoder.calls == ["a"]
    for index in range(KEPT_CLIPS):
        source.read(f"c{index}")
    assert len(source.recent) == KEPT_CLIPS
    source.read(f"c{KEPT_CLIPS - 1}")
    assert len(encoder.calls) == 1 + KEPT_CLIPS
    source.read("a")  # the oldest was dropped
    assert encoder.calls[-1] == "a"
    assert len(encoder.calls) == 2 + KEPT_CLIPS
