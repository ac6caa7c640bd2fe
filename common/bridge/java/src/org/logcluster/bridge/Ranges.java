package org.logcluster.bridge;

import java.util.Arrays;

/** Numbers of events as stretches: those of a transaction need not be adjacent, but mostly are. */
final class Ranges {
  private long[] pairs = new long[8]; // first, how many
  private int used;

  void add(long first, long count) {
    if (used > 0 && pairs[used - 2] + pairs[used - 1] == first) {
      pairs[used - 1] += count;
      return;
    }
    if (used == pairs.length) {
      pairs = Arrays.copyOf(pairs, used * 2);
    }
    pairs[used++] = first;
    pairs[used++] = count;
  }

  /** Each number, in the order in which they were added; there are {@code count}. */
  long[] all(int count) {
    long[] all = new long[count];
    for (int i = 0, at = 0; i < used; i += 2) {
      for (long number = pairs[i]; number < pairs[i] + pairs[i + 1]; number++) {
        all[at++] = number;
      }
    }
    return all;
  }

  FrameWriter write(FrameWriter out) {
    out.number(used / 2);
    for (int i = 0; i < used; i++) {
      out.number(pairs[i]);
    }
    return out;
  }
}
