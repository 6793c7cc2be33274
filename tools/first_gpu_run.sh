#!/usr/bin/env bash
# Measure F2HDR on a GPU within nine minutes; the results are in one table at the end.
#
#   tools/first_gpu_run.sh OUT
#
# OUT is a folder for logs, JSON files and table.txt. A step that fails or exceeds its time is a row of the table, and
# the next step runs. Variables: PYTHON, DEVICE (cuda:0), STEPS, SIZES (1080p,uhd), PLATE (1920x1080), FRAMES (48),
# TRAIN_SECONDS (140, after which training is stopped), PATIENCE (1, a factor of the other time limits).
# TRY=1 tries all steps without a GPU, at the smallest size.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(mkdir -p "${1:?give a folder for the results}" && cd "$1" && pwd)
[ -z "${TRY:-}" ] || { : "${DEVICE:=cpu}" "${SIZES:=64x48}" "${PLATE:=64x48}" "${FRAMES:=4}" "${TRAIN_SECONDS:=60}" "${PATIENCE:=30}"; }
python=${PYTHON:-python3} device=${DEVICE:-cuda:0} sizes=${SIZES:-1080p,uhd} frames=${FRAMES:-48}
plate=${PLATE:-1920x1080} train_seconds=${TRAIN_SECONDS:-140}
steps=${STEPS:-tests bench_dis bench_mergenet bench_sea_raft bench_plain fused profile plate render_merge render_mergenet render_lite render_standard train}
export F2HDR_CACHE_SIZE=0 PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
: > "$out/steps.txt"

# Run one step if it is among STEPS: step NAME SECONDS COMMAND...
step() {
  local name=$1 limit=$2 began=$SECONDS code=0
  shift 2
  case " $steps " in *" $name "*) ;; *) return ;; esac
  echo "== $name: $*" >&2
  [ "$name" = train ] || limit=$((limit * ${PATIENCE:-1}))
  timeout --signal=INT --kill-after=10 "$limit" "$@" > "$out/$name.log" 2>&1 || code=$?
  [ "$name" = train ] && [ "$code" = 124 ] && code=0 # training ends with its time
  echo "$name $code $((SECONDS - began))" >> "$out/steps.txt"
}

f2hdr=("$python" -m f2hdr_backend)
bench=("${f2hdr[@]}" bench --device "$device" --frames "$frames")
step tests 60 "$python" -m pytest -q -p no:cacheprovider tests/engine/test_cuda.py tests/kernels
paper=(--weights standard --no-plain)
step bench_dis 50 "${bench[@]}" --sizes "$sizes" "${paper[@]}" --flow dis --json "$out/bench_dis.json"
step bench_mergenet 30 "${bench[@]}" --sizes "$sizes" --weights mergenet --no-plain --json "$out/bench_mergenet.json"
step bench_sea_raft 50 "${bench[@]}" --sizes "$sizes" "${paper[@]}" --flow sea_raft --json "$out/bench_sea_raft.json"
step bench_plain 45 "${bench[@]}" --sizes "$plate" --weights standard --flow sea_raft --json "$out/bench_plain.json"
step fused 25 "$python" -m tests.first_gpu_run fused "$device" "$plate"
step profile 25 "$python" -m tests.first_gpu_run profile "$device" "$plate"
step plate 30 "$python" -m tests.first_gpu_run plate "$out" "$plate" "$frames"
for method in merge mergenet lite standard; do
  how=(--weights "$method")
  [ "$method" = merge ] && how=(--method merge)
  step "render_$method" 20 "${f2hdr[@]}" render "$out/plate.####.exr" --exposures 0,3 --first-exposure short "${how[@]}" \
    --device "$device" -o "$out/$method.####.exr"
done
step train "$train_seconds" "${f2hdr[@]}" train "$out/images" -o "$out/run" --edition lite --windows 16 \
  --steps 1000000 --validate-every 0 --device "$device"

"$python" -m tests.first_gpu_run table "$out" | tee "$out/table.txt"
