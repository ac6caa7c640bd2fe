package org.acme;

import java.util.ArrayList;
import java.util.List;

/** What a class keeps that should let go. */
final class Leak {
  private static final List<byte[]> KEPT = new ArrayList<>();

  private Leak() { }

  static void more() {
    synchronized (KEPT) {
      KEPT.add(new byte[1 << 20]);
    }
  }
}
