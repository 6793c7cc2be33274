#!/usr/bin/env bash
# Measure F2HDR on a GPU within nine minutes; the results are in one table at the end.
#
#   tools/first_gpu_run.sh OUT
#
# OUT receives table.txt (also printed), logs.txt, profile.txt, measured.json, chart.png, frames.png and train.csv.
# Plates and renders are in a temporary folder that is removed. Every step has a time limit; a step that fails or
# exceeds its limit is a row of the table, and the next step runs. All steps together take at most TOTAL (540 s):
# training, the last one, takes what the others leave, at least 60 s. If `setup` fails, nothing else runs.
#
# Needs torch for CUDA with Triton, numpy, OpenCV, and the packages that `setup` names. Nothing is downloaded: WHEELS
# names a folder of wheels to use. Further variables: PYTHON, DEVICE (cuda:0), STEPS, SIZE (1920x1080), LARGE
# (3840x2160), SMALL (960x540), FRAMES (48 windows of a benchmark, 96 frames of a render), TOTAL.
# TRY=1 tries all steps without a GPU, at the smallest size and without limits that matter.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(mkdir -p "${1:?give a folder for the results}" && cd "$1" && pwd)
[ -z "${TRY:-}" ] || { : "${DEVICE:=cpu}" "${SIZE:=64x48}" "${LARGE:=80x64}" "${SMALL:=48x48}" "${FRAMES:=4}" "${TOTAL:=100000}" "${TRAIN:=5}" "${patience:=100}"; }
python=${PYTHON:-python3} device=${DEVICE:-cuda:0} size=${SIZE:-1920x1080} large=${LARGE:-3840x2160} small=${SMALL:-960x540}
frames=${FRAMES:-48} total=${TOTAL:-540}
steps=${STEPS:-setup tests compute half bench_dis bench_uhd bench_sea_raft bench_mergenet plate render_merge render_mergenet render_lite render_standard bench_plain profile train}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export F2HDR_CACHE_SIZE=0 PYTHONPATH="$PWD:$work/site${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
[ -n "${TRY:-}" ] || ! "$python" -c "import xdist" 2> /dev/null || parallel="-n6" # tests compile many kernels
export TRITON_CACHE_DIR="$work/triton" # kernels are compiled once for all steps, also without a home folder
[ -z "${WHEELS:-}" ] || "$python" -m pip install -q --no-index --no-deps --target "$work/site" "$WHEELS"/*.whl

# Run one step if it is among STEPS: step NAME SECONDS COMMAND... ; 60 seconds are left for training.
step() {
  local name=$1 limit=$(($2 * ${patience:-1})) left=$((total - SECONDS)) began=$SECONDS code=0
  shift 2
  case " $steps " in *" $name "*) ;; *) return ;; esac
  [ "$name" = train ] || left=$((left - 60))
  [ "$limit" -le "$left" ] || limit=$left
  if grep -qs '^setup [1-9]' "$work/steps.txt"; then
    code=setup
  elif [ "$limit" -lt 5 ]; then
    code=time
  else
    echo "== $name ($limit s): $*" >&2
    timeout --signal=TERM --kill-after=5 "$limit" "$@" > "$work/$name.log" 2>&1 || code=$?
  fi
  echo "$name $code $((SECONDS - began))" >> "$work/steps.txt"
}

helper=("$python" -m tests.first_gpu_run "$work" "$device" "$size")
bench=("$python" -m f2hdr_backend bench --device "$device")
dis=(--weights standard --flow dis --no-plain)
# The limits, in seconds: 465 for all but training, which thus has 75
step setup 25 "${helper[@]}" setup
step tests 85 "$python" -m pytest -q -p no:cacheprovider ${parallel:-} -k "not any_size" tests/engine/test_cuda.py tests/kernels/test_fused.py tests/kernels/test_correlation.py
step compute 35 "${helper[@]}" compute
step half 25 "${helper[@]}" half
step bench_dis 40 "${bench[@]}" --frames "$frames" --sizes "$size" "${dis[@]}" --json "$work/bench_dis.json"
step bench_uhd 45 "${bench[@]}" --frames $(((frames + 3) / 4)) --sizes "$large" "${dis[@]}" --json "$work/bench_uhd.json"
step bench_sea_raft 35 "${bench[@]}" --frames $(((frames + 1) / 2)) --sizes "$size" --weights standard --flow sea_raft --no-plain --json "$work/bench_sea_raft.json"
step bench_mergenet 25 "${bench[@]}" --frames "$frames" --sizes "$size" --weights mergenet --no-plain --json "$work/bench_mergenet.json"
step plate 20 "${helper[@]}" plate $((2 * frames))
for method in merge mergenet lite standard; do
  step "render_$method" 17 "${helper[@]}" render "$method"
done
step bench_plain 40 "${bench[@]}" --frames 2 --sizes "$small,$size" --weights standard --flow sea_raft --json "$work/bench_plain.json" --plot "$out/chart.png"
step profile 22 "${helper[@]}" profile
step train "$total" "${helper[@]}" train "${TRAIN:-$((total - SECONDS - 15))}"

tail -n 40 "$work"/*.log > "$out/logs.txt" 2>&1
cp "$work/profile.log" "$out/profile.txt" 2> /dev/null
cp "$work/run/train.csv" "$out/train.csv" 2> /dev/null
"${helper[@]}" results "$out" | tee "$out/table.txt"
