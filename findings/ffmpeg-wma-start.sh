#!/usr/bin/env bash
# ffmpeg 5.1.9 (Debian 12), wmav1 and wmav2: a WMA file that ffmpeg has written is read a block early, without the first block of its music.
#
# The encoder puts one block in front of the music (512, 1,024 or 2,048 frames, by the rate), as its initial_padding says; the decoder takes off two. With "-flags2 +skip_manual" the decoder takes off
# nothing, and the music begins one block late, with all of its frames.
#
# Input: 66,150 frames of mono at 44,100 Hz, with bursts of ten frames at 1,000 and at 40,000.
# Expected of a decoder that knows its encoder:  the bursts at 1,000 and 40,000.
# Seen (Linux x64, 2026-11-28):                  the first one is missing, the second is near 37,952 (2,048 early)
#                                                with +skip_manual near 3,048 and 42,048 (2,048 late), both
#
# What follows for a program that reads through ffmpeg: where the file's encoder is ffmpeg's (WM/EncodingSettings begins with "Lav"), decode with +skip_manual and take off one block.
#
# Exits with 0 while that is so, with 1 when it has changed, with 2 when it could not be tried. Needs Debian 12's package source for x64, and room for 700 MB while it runs.
set -eu
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
ffmpeg -v error -f lavfi -i "aevalsrc=0.4*(between(n\,1000\,1009)+between(n\,40000\,40009)):s=44100:d=1.5" -c:a pcm_s16le bursts.wav

# Where each stretch begins that is louder than a tenth of full scale, and further than 1,000 frames from the one before.
bursts() {
    ffmpeg -v error "$@" -f s16le - | od -An -v -t d2 -w2 | awk '($1 > 3277 || $1 < -3277) { if (NR - last > 1000 || !last) printf "%s%d", (last ? " and " : ""), int((NR - 1 + 25) / 50) * 50; last = NR } END { print (last ? "" : "none") }'
}

for codec in wmav1 wmav2; do
    ffmpeg -v error -i bursts.wav -c:a $codec $codec.wma
    echo "$codec: bursts near $(bursts -i $codec.wma); with +skip_manual near $(bursts -flags2 +skip_manual -i $codec.wma)"
done | tee seen
diff - seen <<'SEEN'
wmav1: bursts near 37950; with +skip_manual near 3050 and 42050
wmav2: bursts near 37950; with +skip_manual near 3050 and 42050
SEEN
