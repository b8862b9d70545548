#!/bin/sh
# Trains the small runs that the tests compare with: make.sh FLOW FOLDER
set -eu
flow=$1
moons=$(cd "$(dirname "$0")/../.." && pwd)/docs/examples/torchcfm-moons.pt
mkdir -p "$2"
cd "$2"
small="--no-eval --set train.batch=64"
"$flow" train debug --no-eval --out points
"$flow" train digits $small --out digits \
    --set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
    --set train.images=1280 --set train.checkpoint_every=1280
"$flow" train digits-dit $small --out dit \
    --set network.hidden=32 --set network.depth=2 --set network.heads=2 \
    --set train.images=1280 --set train.checkpoint_every=1280
awk 'BEGIN {
    print "clinic,height,age,smokes,country"
    for (i = 0; i < 200; i++)
        printf "%s,%.2f,%d,%s,here\n", i % 2 ? "B" : "A", 1.6 + 0.2 * (i % 2) + (i * 37 % 100) / 1000,
            20 + i * 7 % 60, i % 3 ? "no" : "yes"
}' > people.csv
table="--no-eval --set network.hidden=32 --set network.depth=2 --set sample.steps=8 \
    --set train.images=25600 --set train.checkpoint_every=25600"
"$flow" train people.csv $table --out people
"$flow" train people.csv --given clinic,age $table --set path.label_drop=0.1 --out given
"$flow" sample points -n 200 --out rows.npy
awk 'BEGIN { print "angle,lab"; for (i = 0; i < 200; i++) printf "%d,%s\n", i * 7 % 90, i % 2 ? "B" : "A" }' > beside.csv
"$flow" train points --data rows.npy --given beside.csv $table --out told
"$flow" import "$moons" --as torchcfm-mlp --out moons.flow
for name in points digits dit people given told; do
    "$flow" export $name --out $name.flow
done
