#!/bin/bash
# What a graphics card of NVIDIA makes of a separation: whether stems agree with the processor's, how long a track takes, and in what share of that time the card works.
#
#   bench/gpu.sh MODEL TRACK [ROUNDS]
#
# MODEL is a name or path of a model (batches are tried where it is weights, .safetensors), TRACK an audio file of some minutes. It takes a card with its driver, the CUDA 13 and cuDNN 9 libraries where the system finds libraries, and the .NET SDK, which
# fetches ONNX Runtime's GPU package unless DEMUCSPS_ONNXRUNTIME names a library. With Python's torch and demucs installed, and DEMUCS_MODEL naming a model of theirs, their time stands beside it.
set -euo pipefail
model=${1:?MODEL TRACK [ROUNDS]}
track=$(realpath "${2:?MODEL TRACK [ROUNDS]}")
rounds=${3:-5}
root=$(realpath "$(dirname "$0")/..")
[[ -e $model ]] && model=$(realpath "$model")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v nvidia-smi >/dev/null || { echo "There is no nvidia-smi: no card, or no driver." >&2; exit 1; }
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

dotnet build -c Release -v q --nologo "$root/src/DemucsPS.Cli"
demucsps=$root/src/DemucsPS.Cli/bin/Release/net10.0/demucsps

if [[ -z ${DEMUCSPS_ONNXRUNTIME:-} ]]; then
  version=$(sed -n 's/.*"Microsoft\.ML\.OnnxRuntime" Version="\([^"]*\)".*/\1/p' "$root/Directory.Packages.props")
  cat >"$work/fetch.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="Microsoft.ML.OnnxRuntime.Gpu.Linux" Version="[$version]" /></ItemGroup>
</Project>
EOF
  dotnet restore "$work/fetch.csproj" -v q
  packages=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
  export DEMUCSPS_ONNXRUNTIME=${packages%/}/microsoft.ml.onnxruntime.gpu.linux/$version/runtimes/linux-x64/native/libonnxruntime.so
fi

echo "== devices"
"$demucsps" devices | grep -E '^(cpu|cuda)'
echo "== parity and one chunk"
"$demucsps" models test "$model" --execution-provider cuda

# A track by one provider: seconds in all, and the card's share of them, sampled five times a second.
separate() {
  local name=$1 began ended sampler
  shift
  nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits -lms 200 >"$work/load" &
  sampler=$!
  began=$(date +%s.%N)
  "$demucsps" separate "$track" --model "$model" --output "$work/$name" --force --bit-depth 32 "$@" >/dev/null 2>"$work/$name.log" || { cat "$work/$name.log" >&2; kill $sampler; exit 1; }
  ended=$(date +%s.%N)
  kill $sampler
  wait $sampler 2>/dev/null || true
  awk -v name="$name" -v s="$(echo "$ended - $began" | bc)" '{ sum += $1; n++ } END { printf "%-8s %7.2f s, card at work %.0f %%\n", name, s, n ? sum / n : 0 }' "$work/load"
}

echo "== whole separation, $rounds rounds in turn; the first round of each loads and checks"
for ((i = 0; i <= rounds; i++)); do
  separate cpu
  separate cuda --execution-provider cuda
  for jobs in 2 4; do
    separate "cuda-$jobs" --execution-provider cuda --jobs $jobs
  done
  if [[ $model == *.safetensors ]]; then
    for batch in 2 4 8; do
      separate "batch-$batch" --execution-provider cuda --jobs 2 --batch-size $batch
    done
  fi
done

if [[ -n ${DEMUCS_MODEL:-} ]] && python3 -c 'import torch, demucs' 2>/dev/null; then
  echo "== PyTorch, $DEMUCS_MODEL"
  for ((i = 0; i < rounds; i++)); do
    began=$(date +%s.%N)
    python3 -m demucs -n "$DEMUCS_MODEL" -d cuda -o "$work/torch" "$track" >/dev/null
    echo "torch    $(echo "$(date +%s.%N) - $began" | bc) s"
  done
else
  echo "== PyTorch's demucs is not here, or DEMUCS_MODEL names none of its models"
fi
