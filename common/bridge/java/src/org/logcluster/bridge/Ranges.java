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

  FrameWriter write(FrameWriter out) {
    out.number(used / 2);
    for (int i = 0; i < used; i++) {
      out.number(pairs[i]);
    }
    return out;
  }
}
