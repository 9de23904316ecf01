"""Makes the images of the built-in vocabularies and the table of character classes.

    python tools/generate_vocabularies.py            fetch, check, write
    python tools/generate_vocabularies.py --from DIR    the same with the rank files of a folder
    python tools/generate_vocabularies.py --check    have the committed files their checksums?

They lie in Sources/CMemexVocabularies/images. The published rank files come out of litellm's wheel,
or are o200k_base.tiktoken, cl100k_base.tiktoken and p50k_base.tiktoken of a folder; either way they
are compared with the checksums that tiktoken itself expects. The character classes are those of
tiktoken's regular expressions (Unicode 16.0), not of this Python. What the tokenizers rely on is
asserted here, or by VocabularyBuilder, which makes the images.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess  # nosec B404
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "vocabularies"
IMAGES = ROOT / "Sources" / "CMemexVocabularies" / "images"
SUMS = IMAGES / "SHA256SUMS"

LITELLM = "litellm==1.109.1"
TIKTOKEN = "tiktoken==0.14.0"

# Name -> its file in litellm's wheel, the checksum that tiktoken expects, tokens, ranks without.
VOCABULARIES: dict[str, tuple[str, str, int, set[int]]] = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        199_998,
        set(),
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        100_256,
        set(),
    ),
    "p50k_base": (
        "ec7223a39ce59f226a68acc30dc1af2788490e15",
        "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
        50_280,
        {50_256},
    ),
}

# The classes, in the order of CharacterClass.swift, and the characters that make them; the rest are
# symbols. What is White_Space is `\s`; ASCII blank and newlines are classes of their own.
SYMBOL, WHITE, BLANK, NEWLINE, NUMBER, MARK, CASELESS, UPPER, LOWER = range(9)
PATTERNS: list[tuple[int, str]] = [
    (WHITE, r"\s"),
    (NUMBER, r"\p{N}"),
    (MARK, r"\p{M}"),
    (CASELESS, r"[\p{Lm}\p{Lo}]"),
    (UPPER, r"[\p{Lu}\p{Lt}]"),
    (LOWER, r"\p{Ll}"),
]
# How many characters each has in Unicode 16.0.
SIZES = {WHITE: 25, NUMBER: 1911, MARK: 2501, CASELESS: 136_881, UPPER: 1889, LOWER: 2258}
BLOCK = 128


def run(*command: str, cwd: Path | None = None) -> None:
    """Runs a program; its failure is ours."""
    subprocess.run(command, check=True, cwd=cwd)  # nosec B603


def rank_files(folder: Path | None = None) -> dict[str, Path]:
    """The rank files: of a folder, or fetched once."""
    WORK.mkdir(parents=True, exist_ok=True)
    files = {name: (folder or WORK) / f"{name}.tiktoken" for name in VOCABULARIES}
    missing = [str(file) for file in files.values() if not file.is_file()]
    if folder and missing:
        raise SystemExit(f"not there: {', '.join(missing)}")
    if not all(file.exists() for file in files.values()):
        run(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary", ":all:", "--dest", str(WORK), LITELLM),
        )
        wheel = next(WORK.glob("litellm-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for name, (member, _, _, _) in VOCABULARIES.items():
                data = archive.read(f"litellm/litellm_core_utils/tokenizers/{member}")
                files[name].write_bytes(data)
        wheel.unlink()
    for name, (_, expected, _, _) in VOCABULARIES.items():
        found = hashlib.sha256(files[name].read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{files[name]} has the checksum {found}, not {expected}")
    return files


def check_ranks(name: str, file: Path) -> None:
    """What the scanners and the counter take for granted about a vocabulary."""
    ranks = {}
    for line in file.read_bytes().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    _, _, size, missing = VOCABULARIES[name]
    require(len(ranks) == size, f"{name} has {len(ranks)} tokens")
    expected = set(range(size + len(missing))) - missing
    require(set(ranks.values()) == expected, f"the ranks of {name} have other gaps")
    require(max(map(len, ranks)) <= 128, f"{name} has a token of over 128 bytes")
    if name != "p50k_base":
        digits = [f"{n:0{width}}".encode() for width in (1, 2, 3) for n in range(10**width)]
        require(all(token in ranks for token in digits), f"{name} lacks a group of digits")


def require(holds: bool, what: str) -> None:
    """An assertion that optimised Python keeps."""
    if not holds:
        raise SystemExit(f"an assumption does not hold: {what}")


CLASSES_PROGRAM = """
import json, sys, tiktoken
ranks = {bytes([b]): b for b in range(256)}
text = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
found = {}
for name, pattern in json.loads(sys.argv[1]):
    encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    found[name] = [ord(c) for c in encoding.decode(encoding.encode_ordinary(text))]
json.dump(found, sys.stdout)
"""


def character_classes() -> bytearray:
    """The class of every code point, asked from tiktoken."""
    packages = WORK / "packages"
    if not (packages / "tiktoken").exists():
        run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages)),
            TIKTOKEN,
        )
    answer = subprocess.run(  # nosec B603
        [sys.executable, "-c", CLASSES_PROGRAM, json.dumps(PATTERNS)],
        check=True,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(packages)},
    ).stdout
    classes = bytearray(0x110000)
    for name, members in json.loads(answer).items():
        require(len(members) == SIZES[int(name)], f"class {name} has {len(members)} characters")
        for code in members:
            require(classes[code] == SYMBOL, f"U+{code:04X} has two classes")
            classes[code] = int(name)
    classes[0x20] = BLANK
    classes[0x0D] = classes[0x0A] = NEWLINE
    return classes


def character_table(classes: bytearray) -> bytes:
    """Two levels: a byte for each block of 128 code points, then the distinct blocks, half a byte
    for each code point."""
    index = bytearray()
    blocks: dict[bytes, int] = {}
    for start in range(0, len(classes), BLOCK):
        block = classes[start : start + BLOCK]
        packed = bytes(block[at] | block[at + 1] << 4 for at in range(0, BLOCK, 2))
        index.append(blocks.setdefault(packed, len(blocks)))
    return bytes(index) + b"".join(blocks)


def checksums() -> str:
    """A line for each file, as sha256sum writes them."""
    files = sorted(IMAGES.glob("*.bin"))
    return "".join(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in files)


def generate(folder: Path | None) -> None:
    """Writes all images and their checksums."""
    files = rank_files(folder)
    for name, file in files.items():
        check_ranks(name, file)
    table = character_table(character_classes())
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / "characters.bin").write_bytes(table)
    scratch = ROOT / "build" / "vocabularies" / "swift"
    run(
        *("swift", "build", "-c", "release", "--product", "VocabularyImages"),
        *("--scratch-path", str(scratch)),
        cwd=ROOT,
    )
    for name, file in files.items():
        program = scratch / "release" / "VocabularyImages"
        run(str(program), str(file), str(IMAGES / f"{name}.bin"))
    SUMS.write_text(checksums(), encoding="utf-8")


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare checksums")
    parser.add_argument("--from", dest="folder", type=Path, help="a folder with the rank files")
    arguments = parser.parse_args()
    if not arguments.check:
        generate(arguments.folder)
    if checksums() != SUMS.read_text(encoding="utf-8"):
        print(f"the files in {IMAGES} are not those of {SUMS.name}", file=sys.stderr)
        return 1
    print(f"the vocabularies are those of {SUMS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
