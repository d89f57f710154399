#!/usr/bin/env bash
# The whole loop on real data: NonSynth web text and books, SynthQA by GPT-4, MixedIns. A model of 4.2 M parameters.
# LETHE_DATA names the folder with corpora/. Everything it makes is in runs/real; the tables go to standard output.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${LETHE_DATA:-../shared}/corpora
here=benchmarks/real-input
shards=runs/real/shards
lethe() { node packages/cli/bin/lethe.mjs "$@"; }
precision=${PRECISION:-fp32}

natural=("$data/NonSynth/web-openwebtext" "$data/NonSynth/web-c4" "$data/NonSynth/books")
synthetic=("$data/SynthQA/gpteacher-codegen" "$data/SynthQA/caia-qa")
instructions=("$data/MixedIns/alpaca_gpt4_en_1k")
lethe prepare "${natural[@]}" "${synthetic[@]}" --train-tokenizer 4096 --held-out 0 --out $shards/tokenizer
tokenizer=$shards/tokenizer/trained-tokenizer
lethe prepare "${natural[@]}" --tokenizer $tokenizer --held-out 0.05 --out $shards/natural
lethe prepare "${synthetic[@]}" --tokenizer $tokenizer --held-out 0.05 --out $shards/synthetic
lethe prepare "${instructions[@]}" --tokenizer $tokenizer --held-out 0.1 --as chat --out $shards/instructions

set=(--set precision="$precision")
lethe pretrain --recipe $here/base.yaml "${set[@]}"
lethe pretrain --recipe $here/synth.yaml "${set[@]}"
lethe unlearn --recipe $here/unlearn.yaml "${set[@]}"
lethe unlearn --recipe $here/unlearn.yaml "${set[@]}" --set name=ga --set objective.method=ga
lethe refine --recipe $here/refine.yaml "${set[@]}"
models=(base synth unlearn ga refine)
for from in base synth unlearn refine; do
  lethe finetune --recipe $here/chat.yaml "${set[@]}" --set name=$from-chat --set model.init=runs/real/$from/model
  models+=("$from-chat")
done

others=()
for model in "${models[@]:1}"; do others+=(--model "runs/real/$model/model"); done
lethe diagnose --base runs/real/base/model "${others[@]}" --documents 300 --max-length 256 --out runs/real/diagnosis \
  --data $shards/natural/heldout --data $shards/synthetic/heldout --data $shards/instructions/heldout
