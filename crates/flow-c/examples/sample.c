/* Opens a model, says what it is, draws samples and asks for their densities:
 *
 *     cc sample.c -I include -L target/release -lflowmatching -o sample
 *     LD_LIBRARY_PATH=target/release ./sample m.flow 4 7
 */
#include <stdio.h>
#include <stdlib.h>

#include "flow.h"

int main(int count, char **words) {
    if (count < 4) {
        fprintf(stderr, "usage: sample MODEL N SEED\n");
        return 2;
    }
    FlowModel *model = flow_open(words[1]);
    if (model == NULL) {
        fprintf(stderr, "error: %s\n", flow_last_error());
        return 1;
    }
    size_t n = strtoull(words[2], NULL, 10), size = flow_row_size(model);
    float *rows = malloc(n * size * sizeof *rows);
    double *nats = malloc(n * sizeof *nats);
    int failed = flow_sample(model, n, strtoull(words[3], NULL, 10), -1, 10, rows, n * size) ||
                 flow_log_prob(model, rows, n, flow_classes(model) ? 0 : -1, nats);
    if (failed) {
        fprintf(stderr, "error: %s\n", flow_last_error());
    }
    for (size_t i = 0; !failed && i < n; i++) {
        for (size_t j = 0; j < size; j++) {
            printf("%.9g ", rows[i * size + j]);
        }
        printf("%.17g\n", nats[i]);
    }
    free(nats);
    free(rows);
    flow_close(model);
    return failed ? 1 : 0;
}
