/* einsum_plain.h: plain calls of einsum: subscripts that Python has seen, and plain arrays.
 *
 * Whatever these functions do not take, errors included, Python has to look at: they return -1, or NULL, with no
 * exception set. */
#ifndef SWIFTCONV_EINSUM_PLAIN_H
#define SWIFTCONV_EINSUM_PLAIN_H

#include "arrays.h"

/* A recipe: bytes that _recipes.py makes of subscripts and the operands' numbers of axes. */
enum {
  RECIPE_OPERANDS,    /* how many; 0 where NumPy makes a view, of an operand with as many axes as the next byte says */
  RECIPE_INDICES,     /* how many, those of the result first */
  RECIPE_OUTPUT,      /* how many the result has */
  RECIPE_SUMS_WITHIN, /* whether one operand alone has an index that is summed over */
  RECIPE_AXES,        /* for each operand the number of its axes, and for each of them an index, or a sum: RECIPE_SUM,
                       * the number of its terms, offset, and index and step of each term */
  RECIPE_SUM = 255,
  RECIPE_VIEW_AXES = 1
};

/* At most. */
enum { PLAIN_OPERANDS = 8, PLAIN_INDICES = 16, PLAIN_SUMS = 8, PLAIN_TERMS = 4 };

/* An axis on which indices meet. */
typedef struct plain_sum {
  int operand, terms;
  int64_t extent, stride, offset;
  int index[PLAIN_TERMS];
  int64_t step[PLAIN_TERMS];
} plain_sum;

typedef struct plain_contraction {
  sc_contraction options;
  sc_factor factors[PLAIN_OPERANDS], out;
  int64_t extents[PLAIN_INDICES], strides[PLAIN_OPERANDS][PLAIN_INDICES]; /* extents: 0 while unknown */
  plain_sum sums[PLAIN_SUMS];
  int sum_count;
  plain_array operands[PLAIN_OPERANDS], result;
} plain_contraction;

/* einsum_sums.c: reads one from a recipe, up to the byte that is returned. */
const unsigned char *plain_sum_read(const unsigned char *recipe, plain_sum *sum);
/* einsum_sums.c: the extents that follow, as _extents.py infers them, and strides and first elements that sums give. */
int plain_sums_apply(plain_contraction *call);

#endif
