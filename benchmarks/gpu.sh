#!/bin/bash
# What a GPU makes of the scripts, in at most ten minutes: Fashion-MNIST to 95 %, the speed of
# ResNet-50 in training and in inference beside torchvision's, how long the GPU waits, and a run that
# is killed and goes on.
#
#     benchmarks/gpu.sh [--data DIR]   # DIR has Fashion-MNIST; unsaid, it is looked for or fetched
#     benchmarks/gpu.sh --small        # the same on a CPU with made-up data: tries the script out
#
# It ends with 1 if a part fails, and says which.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
data=(--download) epochs=40 batch=512 goal=0.95 steps=2000
network=resnet50 speed=(--rounds 2 --steps 20) waits=()
deploy=(--rounds 5 --batches 1 256 --compile)
small= patience=1
while [ $# -gt 0 ]; do
    case $1 in
        --small) small=yes ;;
        --data) data=(--data "${2:?--data takes a folder}") && shift ;;
        *) echo "error: $1 is no option; benchmarks/gpu.sh [--small] [--data DIR]" >&2 && exit 2 ;;
    esac
    shift
done
if [ -n "$small" ]; then
    data=(--data synthetic) epochs=1 batch=64 goal=0.5 steps=60
    network=resnet18 speed=(--rounds 1 --steps 1 --batch-size 2 --eager)
    waits=(--network resnet18 --batch-size 2 --steps 2 --warm 1) patience=10
    deploy=(--rounds 2 --batches 1 2)
elif ! python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "error: torch finds no CUDA device here" >&2
    echo "help: run it on a machine with one, or try it out with --small" >&2
    exit 1
fi
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
failed=()

part() { # NAME SECONDS COMMAND...: runs one part, and notes if it fails or takes too long
    printf '\n== %s ==\n' "$1"
    local began=$SECONDS
    timeout -k 10 "$(($2 * patience))" "${@:3}" || failed+=("$1")
    echo "($((SECONDS - began)) s)"
}

cell() { # COLUMN: the last value of it in a log.csv
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
        $column != "" { value = $column } END { print value }'
}

# Four times the channels of fashion_resnet8, so that a GPU has something to do.
cat > "$runs/fashion.yaml" << 'YAML'
name: fashion
extends: fashion_resnet8
stages: {layer1: {channels: 128}, layer2: {channels: 256}, layer3: {channels: 512}}
train: {augment: {flip: true, crop: 2, erase: 0.25}}
YAML
[ -z "$small" ] || sed -i '/^stages/d' "$runs/fashion.yaml"
train=(python -m archspec train "$runs/fashion.yaml" "${data[@]}" --batch-size "$batch")

accuracy() {
    "${train[@]}" --epochs "$epochs" --lr 0.2 --out "$runs/accuracy" || return
    local reached
    reached=$(cell test_accuracy < "$runs/accuracy/log.csv")
    echo "test accuracy $reached, asked for $goal"
    awk -v reached="$reached" -v goal="$goal" 'BEGIN { exit reached < goal }'
}

resume() { # as many steps in two goes, of which the first is killed
    local out=$runs/resume options=(--steps "$steps" --save-every 0 --log-every 10) first
    "${train[@]}" "${options[@]}" --out "$out" > "$runs/first" &
    first=$!
    until [ -e "$out/last.pt" ]; do
        kill -0 "$first" 2> /dev/null || { echo "it has ended by itself" && return 1; }
        sleep 0.1
    done
    kill -9 "$first" || return
    wait "$first" 2> /dev/null
    python -c 'if True:
        import sys, torch
        step = torch.load(sys.argv[1], weights_only=True)["run"]["step"]
        print(f"killed; its last checkpoint is of step {step:,}")
        sys.exit(step >= int(sys.argv[2]))' "$out/last.pt" "$steps" || return
    "${train[@]}" "${options[@]}" --out "$out" || return
    awk -F, -v steps="$steps" 'NR > 2 && $1 <= last { wrong = 1 } { last = $1 }
        END { exit wrong || last != steps }' "$out/log.csv" && echo "went on to step $steps"
}

export -f accuracy resume cell
export runs epochs goal steps
bash_part() { # a function of ours, as a command for timeout
    part "$1" "$2" bash -c "$(declare -p train); $3"
}

bash_part "Fashion-MNIST" 130 accuracy
part "training of $network" 190 python benchmarks/train.py --network "$network" "${speed[@]}"
part "waiting, eager" 30 python benchmarks/waits.py "${waits[@]}"
part "waiting, compiled" 70 python benchmarks/waits.py "${waits[@]}" --compile
part "inference of $network" 140 python benchmarks/deploy.py "$network" "${deploy[@]}"
bash_part "a run that is killed" 40 resume

printf '\n'
if [ ${#failed[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "all parts went well"
