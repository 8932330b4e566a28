#!/usr/bin/env bash
# ffmpeg 5.1.9 (Debian 12), uncompressed sound: big-endian WAV, little-endian AIFF-C and samples with bytes to spare become noise, with exit code 0.
#
# All files hold the same ramp, 1,000 frames of mono at 44,100 Hz: 0, 1/1024, 2/1024 and so on, of which those from 512 on are shown. They follow their formats ("Multimedia Programming Interface and Data Specifications 1.0" for RIFX, mmreg.h for
# WAVEFORMATEXTENSIBLE, Apple's AIFF-C, Sony's Wave64, Apple's CAF).
#
# Expected, and what libsndfile 1.2.0 reads of all but CAF (SoX 14.4.2: RIFX and AIFF-C):  1000 frames, 0.500000 0.500977 0.501953
# Seen (Linux x64, 2026-11-28):
#   RIFX, 16 bits                        the bytes of each sample are taken the wrong way around
#   AIFF-C 'sowt', 8, 24 and 32 bits     taken for 16 bits: 500, 1,500 and 2,000 frames of noise; 16 bits are right
#   WAV, 24 valid bits in four bytes     taken for a kind of floating point: numbers near 1e-40, and some that are none
#   Wave64, the same                     taken for packed 24 bits: 1,333 frames of noise, with complaints about the packets
#   WAV, 16 valid bits in four bytes     taken for packed 16 bits: 2,000 frames, every other one zero
#   CAF, 24 bits in four bytes           as Wave64
#
# What follows for a program that reads through ffmpeg: read or refuse these itself. The exit code and the length of the output do not tell.
#
# Exits with 0 while that is so, with 1 when it has changed, with 2 when it could not be tried. Needs Python 3, Debian 12's package source for x64, and room for 700 MB while it runs.
set -eu
command -v python3 >/dev/null || { echo "There is no Python 3."; exit 2; }
version=7:5.1.9-0+deb12u1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# That ffmpeg with all it needs, from Debian's packages, in this folder.
mkdir -p packages/partial root
touch status
apt-get -qq -o Dir::State::status="$folder/status" -o Dir::Cache::archives="$folder/packages" -o Debug::NoLocking=1 --download-only --no-install-recommends -y install "ffmpeg=$version" >packages.log 2>&1 ||
    { cat packages.log; echo "ffmpeg $version cannot be had here."; exit 2; }
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=$folder/root/usr/lib/x86_64-linux-gnu
ffmpeg() {
    "$folder/root/lib64/ld-linux-x86-64.so.2" --library-path "$folder/root/lib/x86_64-linux-gnu:$libraries:$libraries/blas:$libraries/lapack:$libraries/pulseaudio" "$folder/root/usr/bin/ffmpeg" "$@"
}
cat >make.py <<'PYTHON'
import struct

RATE, FRAMES = 44100, 1000


def samples(width, big=False, least=None):
    """Left-justified integers of so many bytes; of 8 bits only whole steps are left."""
    spare = 32 - 8 * (least or width)
    numbers = (i * 2 ** 21 >> spare << spare for i in range(FRAMES))
    return b"".join(struct.pack(">i" if big else "<i", n)[:width] if big else struct.pack("<i", n)[4 - width:] for n in numbers)


def chunk(name, content, big=False):
    return name + struct.pack(">I" if big else "<I", len(content)) + content + b"\0" * (len(content) % 2)


def extensible(container, valid):
    width = container // 8
    return struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE, RATE * width, width, container, 22, valid, 4) + bytes.fromhex("0100000000001000800000aa00389b71")


def wav(form, data, big=False):
    body = b"WAVE" + chunk(b"fmt ", form, big) + chunk(b"data", data, big)
    return chunk(b"RIFX" if big else b"RIFF", body, big)


def aiffc(bits, compression, data):
    common = struct.pack(">hIhHQ", 1, FRAMES, bits, 16383 + 15, RATE << 48) + compression + b"\0\0"
    return chunk(b"FORM", b"AIFC" + chunk(b"FVER", struct.pack(">I", 0xA2805140), True) + chunk(b"COMM", common, True) + chunk(b"SSND", bytes(8) + data, True), True)


def wave64(form, data):
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    one = lambda name, content: name + tail + struct.pack("<Q", 24 + len(content)) + content + bytes(-len(content) % 8)
    body = b"wave" + tail + one(b"fmt ", form) + one(b"data", data)
    return b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", 24 + len(body)) + body


def caf(bits, width, data):
    one = lambda name, content: name + struct.pack(">q", len(content)) + content
    return b"caff\0\1\0\0" + one(b"desc", struct.pack(">d4sIIIII", RATE, b"lpcm", 0, width, 1, 1, bits)) + one(b"data", bytes(4) + data)


pcm16 = lambda order: struct.pack(order + "HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
files = {
    "riff-16.wav": wav(pcm16("<"), samples(2)),
    "rifx-16.wav": wav(pcm16(">"), samples(2, big=True), big=True),
    "sowt-8.aifc": aiffc(8, b"sowt", samples(1)),
    "sowt-16.aifc": aiffc(16, b"sowt", samples(2)),
    "sowt-24.aifc": aiffc(24, b"sowt", samples(3)),
    "sowt-32.aifc": aiffc(32, b"sowt", samples(4)),
    "24-in-32.wav": wav(extensible(32, 24), samples(4, least=3)),
    "16-in-32.wav": wav(extensible(32, 16), samples(4, least=2)),
    "24-in-32.w64": wave64(extensible(32, 24), samples(4, least=3)),
    "24-in-32.caf": caf(24, 4, samples(4, big=True, least=3)),
}
for name, content in files.items():
    with open(name, "wb") as file:
        file.write(content)
PYTHON
python3 make.py
for name in riff-16.wav rifx-16.wav sowt-8.aifc sowt-16.aifc sowt-24.aifc sowt-32.aifc 24-in-32.wav 16-in-32.wav 24-in-32.w64 24-in-32.caf; do
    code=0
    ffmpeg -v quiet -i "$name" -f f32le out.raw -y </dev/null || code=$?
    python3 - "$name" "$code" <<'PYTHON'
import struct
import sys

with open("out.raw", "rb") as file:
    data = file.read()
numbers = struct.unpack("<%df" % (len(data) // 4), data)
print(sys.argv[1] + ": exit code " + sys.argv[2] + ",", len(numbers), "frames,", " ".join("%.6f" % number for number in numbers[512:515]))
PYTHON
done | tee seen
diff - seen <<'SEEN'
riff-16.wav: exit code 0, 1000 frames, 0.500000 0.500977 0.501953
rifx-16.wav: exit code 0, 1000 frames, 0.001953 0.251953 0.501953
sowt-8.aifc: exit code 0, 500 frames, 
sowt-16.aifc: exit code 0, 1000 frames, 0.500000 0.500977 0.501953
sowt-24.aifc: exit code 0, 1500 frames, 0.333008 -0.500000 0.001282
sowt-32.aifc: exit code 0, 2000 frames, 0.000000 0.250000 0.000000
24-in-32.wav: exit code 0, 1000 frames, 0.000000 0.000000 0.000000
16-in-32.wav: exit code 0, 2000 frames, 0.000000 0.250000 0.000000
24-in-32.w64: exit code 0, 1333 frames, 0.000000 0.000006 0.001469
24-in-32.caf: exit code 0, 1333 frames, 0.375000 0.001469 0.000006
SEEN
