#!/bin/sh
# Trains the two small runs that the tests compare with: make.sh FLOW FOLDER
set -eu
flow=$1
mkdir -p "$2"
"$flow" train debug --no-eval --out "$2/points"
"$flow" train digits --no-eval --out "$2/digits" \
    --set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
    --set train.batch=32 --set train.images=640 --set train.checkpoint_every=640
