/* Asks a model what a server is asked, in JSON:
 *
 *     cc ask.c -I include -L target/release -lflowmatching -o ask
 *     LD_LIBRARY_PATH=target/release ./ask m.flow sample '{"n": 4, "seed": 7, "steps": 10}'
 */
#include <stdio.h>

#include "flow.h"

int main(int count, char **words) {
    if (count < 4) {
        fprintf(stderr, "usage: ask MODEL model|sample|log_prob|impute REQUEST\n");
        return 2;
    }
    FlowModel *model = flow_open(words[1]);
    char *answer = model == NULL ? NULL : flow_ask(model, words[2], words[3]);
    if (answer == NULL) {
        fprintf(stderr, "error: %s\n", flow_last_error());
    } else {
        puts(answer);
    }
    int failed = answer == NULL;
    flow_free(answer);
    flow_close(model);
    return failed;
}
