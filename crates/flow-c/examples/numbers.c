/* Writes samples as raw 32-bit numbers, for a program that reads them from a pipe:
 *
 *     cc numbers.c -I include -L target/release -lflowmatching -o numbers
 *     LD_LIBRARY_PATH=target/release ./numbers m.flow 64 1 8 > samples.f32
 */
#include <stdio.h>
#include <stdlib.h>

#include "flow.h"

int main(int count, char **words) {
    if (count < 5) {
        fprintf(stderr, "usage: numbers MODEL N SEED STEPS\n");
        return 2;
    }
    FlowModel *model = flow_open(words[1]);
    if (model == NULL) {
        fprintf(stderr, "error: %s\n", flow_last_error());
        return 1;
    }
    size_t n = strtoull(words[2], NULL, 10), length = n * flow_row_size(model);
    float *rows = malloc(length * sizeof *rows);
    uint64_t seed = strtoull(words[3], NULL, 10);
    int failed = flow_sample(model, n, seed, -1, strtoull(words[4], NULL, 10), rows, length);
    if (failed) {
        fprintf(stderr, "error: %s\n", flow_last_error());
    } else {
        failed = fwrite(rows, sizeof *rows, length, stdout) != length;
    }
    free(rows);
    flow_close(model);
    return failed ? 1 : 0;
}
