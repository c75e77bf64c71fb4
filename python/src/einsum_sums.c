#include "einsum_plain.h"

/* A step or an offset, in four bytes. */
static int64_t read_number(const unsigned char *bytes) {
  return (int32_t)((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
}

const unsigned char *plain_sum_read(const unsigned char *recipe, plain_sum *sum) {
  int term;

  sum->terms = *recipe++;
  sum->offset = read_number(recipe);
  recipe += 4;
  for (term = 0; term < sum->terms; ++term) {
    sum->index[term] = *recipe++;
    sum->step[term] = read_number(recipe);
    recipe += 4;
  }
  return recipe;
}

/* The lowest and the highest coordinate that the known indices reach. Returns how many are unknown, and the last of
 * them. Extents and steps fit 31 bits, so that nothing overflows. */
static int reach(const plain_contraction *call, const plain_sum *sum, int64_t *lowest, int64_t *highest, int *unknown) {
  int term, count = 0;
  int64_t distance;

  *lowest = *highest = sum->offset;
  for (term = 0; term < sum->terms; ++term) {
    if (call->extents[sum->index[term]] == 0) {
      *unknown = term;
      ++count;
      continue;
    }
    distance = (call->extents[sum->index[term]] - 1) * sum->step[term];
    *(distance < 0 ? lowest : highest) += distance;
  }
  return count;
}

/* One round: what follows from axes of which one index is unknown. Returns how many such axes there are, -1 where
 * an index has no extent. */
static int infer(plain_contraction *call) {
  int64_t found[PLAIN_INDICES] = {0}, lowest, highest, step, extent;
  int place, unknown, index, count = 0;

  for (place = 0; place < call->sum_count; ++place) {
    const plain_sum *sum = &call->sums[place];

    if (reach(call, sum, &lowest, &highest, &unknown) != 1)
      continue;
    if (lowest < 0 || highest >= sum->extent)
      return -1;
    step = sum->step[unknown];
    index = sum->index[unknown];
    extent = step > 0 ? (sum->extent - 1 - highest) / step + 1 : lowest / -step + 1;
    if (found[index] == 0 || extent < found[index])
      found[index] = extent;
    ++count;
  }
  for (index = 0; index < call->options.index_count; ++index) {
    if (call->extents[index] == 0)
      call->extents[index] = found[index];
  }
  return count;
}

int plain_sums_apply(plain_contraction *call) {
  int64_t lowest, highest;
  int place, term, unknown, count;

  for (place = 0; place < call->options.index_count; ++place) {
    if (call->extents[place] > INT32_MAX)
      return -1;
  }
  do {
    count = infer(call);
  } while (count > 0);
  if (count < 0)
    return -1;
  for (place = 0; place < call->sum_count; ++place) {
    const plain_sum *sum = &call->sums[place];
    sc_factor *factor = &call->factors[sum->operand];

    if (reach(call, sum, &lowest, &highest, &unknown) != 0 || lowest < 0 || highest >= sum->extent)
      return -1;
    factor->data = (char *)factor->data + sum->offset * sum->stride;
    for (term = 0; term < sum->terms; ++term) {
      if (call->extents[sum->index[term]] > 1)
        call->strides[sum->operand][sum->index[term]] += sum->step[term] * sum->stride;
    }
  }
  return 0;
}
