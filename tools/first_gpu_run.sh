#!/usr/bin/env bash
# Measure F2HDR on a GPU within nine minutes; the results are in one table at the end.
#
#   tools/first_gpu_run.sh OUT
#
# OUT is a folder for logs, JSON files and table.txt. A step that fails or exceeds its time is a row of the table, and
# the next step runs. Variables: PYTHON, DEVICE (cuda:0), STEPS, SIZES (1080p,uhd), PLATE (1920x1080), FRAMES (48),
# TRAIN_SECONDS (150), PATIENCE (1, a factor of all time limits but that of training). With DEVICE=cpu and small sizes
# the script can be tried without a GPU.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(mkdir -p "${1:?give a folder for the results}" && cd "$1" && pwd)
python=${PYTHON:-python3} device=${DEVICE:-cuda:0} sizes=${SIZES:-1080p,uhd} frames=${FRAMES:-48}
plate=${PLATE:-1920x1080} train_seconds=${TRAIN_SECONDS:-150}
steps=${STEPS:-tests bench_dis bench_sea_raft bench_plain profile plate render_merge render_mergenet render_lite render_standard train}
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
  echo "$name $code $((SECONDS - began))" >> "$out/steps.txt"
}

f2hdr=("$python" -m f2hdr_backend)
bench=("${f2hdr[@]}" bench --device "$device" --frames "$frames")
step tests 60 "$python" -m pytest -q -p no:cacheprovider tests/engine/test_cuda.py tests/kernels
step bench_dis 70 "${bench[@]}" --sizes "$sizes" --flow dis --no-plain --json "$out/bench_dis.json"
step bench_sea_raft 70 "${bench[@]}" --sizes "$sizes" --flow sea_raft --no-plain --json "$out/bench_sea_raft.json"
step bench_plain 50 "${bench[@]}" --sizes "$plate" --flow sea_raft --json "$out/bench_plain.json"
step profile 30 "$python" -m tests.first_gpu_run profile "$device" "$plate"
step plate 40 "$python" -m tests.first_gpu_run plate "$out" "$plate" "$frames"
for method in merge mergenet lite standard; do
  how=(--weights "$method")
  [ "$method" = merge ] && how=(--method merge)
  step "render_$method" 25 "${f2hdr[@]}" render "$out/plate.####.exr" --exposures 0,3 --first-exposure short "${how[@]}" \
    --device "$device" -o "$out/$method.####.exr"
done
step train "$train_seconds" "${f2hdr[@]}" train "$out/images" -o "$out/run" --edition lite --windows 16 \
  --steps 1000000 --validate-every 0 --device "$device"

"$python" -m tests.first_gpu_run table "$out" | tee "$out/table.txt"
