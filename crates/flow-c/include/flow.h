/* Trained flow-matching models for C. See the README beside this header.
 *
 * A model may be used by several threads at once. Every function may be given a null model: those
 * that can fail then say so, the others return 0 or a null pointer. No panic and no exception
 * leaves the library.
 */
#ifndef FLOW_H
#define FLOW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A model that flow_open opened, until flow_close. */
typedef struct FlowModel FlowModel;

/* Opens a model that `flow export` wrote: a file NAME.flow, or a folder. NULL if that fails. */
FlowModel *flow_open(const char *path);

/* Closes a model and frees its memory. A null pointer is ignored. */
void flow_close(FlowModel *model);

/* The text of model.toml, owned by the model. */
const char *flow_describe(const FlowModel *model);

/* Numbers in a row, the product of its shape. */
size_t flow_row_size(const FlowModel *model);

/* Number of classes, 0 for none. */
size_t flow_classes(const FlowModel *model);

/* Number of weights. */
size_t flow_parameters(const FlowModel *model);

/* Draws samples 0..n of a seed into rows, which has place for length numbers, at least
 * n * flow_row_size. The numbers are those of the network: pixels from -1 to 1, the columns of a
 * table after their transforms (flow_ask draws rows of the table itself). class_of_all is the class
 * of all samples, or -1 for all classes in turn. steps is a number of steps, or 0 for the model's
 * own settings. Returns 0, or -1 if it fails; nothing is written then. */
int flow_sample(const FlowModel *model, size_t n, uint64_t seed, int class_of_all, size_t steps,
                float *rows, size_t length);

/* Log-densities, in nats, of n rows into nats, which has place for n numbers. Rows and densities
 * are those of the numbers of the network, as flow_sample draws them; flow_ask takes rows of a
 * table and answers densities in the units of its columns. class_of_all is the class of all rows,
 * or -1 for models without classes. Returns 0, or -1 if it fails; nothing is written then. */
int flow_log_prob(const FlowModel *model, const float *rows, size_t n, int class_of_all,
                  double *nats);

/* Asks a model what `flow serve` is asked, in the same JSON: any condition by its name or as a
 * vector, solver, steps and guidance, rows of a table in the units of its columns. what is
 * "sample", "log_prob" or "impute", with a request such as
 *
 *     {"n": 4, "seed": 7, "given": {"clinic": "B", "age": 41}, "solver": "rk4", "steps": 10}
 *
 * or "model", with the request {}, for the model's card. Returns JSON, to be given back to
 * flow_free; NULL if that fails. */
char *flow_ask(const FlowModel *model, const char *what, const char *request);

/* Gives an answer of flow_ask back. NULL is taken and nothing is done. */
void flow_free(char *answer);

/* Why the last call of this thread failed, until its next call; empty if it did not. */
const char *flow_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
