package org.logcluster.bridge;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flume.ChannelException;
import org.apache.flume.Event;
import org.apache.flume.channel.BasicChannelSemantics;
import org.apache.flume.channel.BasicTransactionSemantics;

/**
 * What a sink sees as its channel: events that the native side has leased to it, ahead of need. A commit says so by number
 * and does not wait; a roll back puts events back at the head. After {@link #recall} what is rolled back goes to the native
 * side again, until the next {@link #open}.
 */
final class LeaseChannel extends BasicChannelSemantics {
  private final SinkHost host;
  private final long transactionCapacity;
  private final long keepAliveMillis;
  private final ArrayDeque<Item> returned = new ArrayDeque<>(); // rolled back; before what is in frames
  private final ArrayDeque<Lease> leases = new ArrayDeque<>();
  // Frames that have come. The thread that reads the pipe puts them here without the lock, which a busy sink has all the time.
  private final ConcurrentLinkedQueue<Lease> fresh = new ConcurrentLinkedQueue<>();
  private volatile boolean waiting;
  private boolean open;
  private boolean stopping;
  private long recalls;
  private long starved; // takes that found nothing

  private static final class Item {
    final long number;
    final Event event;

    Item(long number, Event event) {
      this.number = number;
      this.event = event;
    }
  }

  /** A frame of events; each is decoded when it is taken. */
  private static final class Lease {
    final FrameReader frame;
    long next;
    int left;

    Lease(FrameReader frame) {
      this.frame = frame;
      this.next = frame.number();
      this.left = frame.count();
    }
  }

  LeaseChannel(SinkHost host, String name, long transactionCapacity, long keepAliveMillis) {
    this.host = host;
    this.transactionCapacity = transactionCapacity;
    this.keepAliveMillis = keepAliveMillis;
    setName(name);
  }

  void add(FrameReader frame) {
    Lease lease = new Lease(frame);
    if (lease.left == 0) {
      return;
    }
    fresh.add(lease);
    if (waiting) { // who waits says so first and looks once more then
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /** The lease with the oldest events, or null. */
  private Lease oldest() {
    if (leases.isEmpty()) {
      for (Lease lease = fresh.poll(); lease != null; lease = fresh.poll()) {
        leases.add(lease);
      }
    }
    return leases.peek();
  }

  synchronized void open() {
    open = true;
  }

  /** From now on a take does not wait. */
  void stopTakes() {
    synchronized (this) {
      stopping = true;
    }
    recall();
  }

  /** How many takes have found the channel empty so far. */
  synchronized long starved() {
    return starved;
  }

  /** Gives back what no transaction has taken; takes that wait end with nothing. */
  void recall() {
    Ranges ranges = new Ranges();
    synchronized (this) {
      open = false;
      recalls++;
      for (Item item : returned) {
        ranges.add(item.number, 1);
      }
      for (Lease lease = oldest(); lease != null; lease = oldest()) {
        ranges.add(lease.next, lease.left);
        leases.poll();
      }
      returned.clear();
      notifyAll();
    }
    host.send(Protocol.RECALLED, ranges.write(new FrameWriter()));
  }

  /**
   * Waits as a memory channel does: a sink with threads of its own would ask thousands of times in a second. It does not
   * wait when the transaction has something already: that is better delivered.
   */
  private synchronized Item next(boolean hasSome) throws InterruptedException {
    long deadline = 0;
    long recallsBefore = recalls;
    for (;;) {
      Item item = returned.poll();
      if (item != null) {
        return item;
      }
      Lease lease = oldest();
      if (lease != null) {
        item = new Item(lease.next++, lease.frame.event());
        if (--lease.left == 0) {
          leases.poll();
        }
        waiting = false;
        return item;
      }
      if (!waiting) {
        waiting = true;
        continue;
      }
      long now = System.nanoTime() / 1000000;
      if (deadline == 0) {
        deadline = now + keepAliveMillis;
      }
      if (hasSome || stopping || recalls != recallsBefore || now >= deadline) {
        starved++;
        return null;
      }
      wait(deadline - now);
    }
  }

  private void rolledBack(List<Item> taken) {
    Ranges ranges = null;
    synchronized (this) {
      if (open) {
        for (int i = taken.size() - 1; i >= 0; i--) {
          returned.addFirst(taken.get(i));
        }
        notifyAll();
      } else {
        ranges = ranges(taken);
      }
    }
    if (ranges != null) {
      host.send(Protocol.NACK, ranges.write(new FrameWriter()));
    }
  }

  private static Ranges ranges(List<Item> items) {
    Ranges ranges = new Ranges();
    for (Item item : items) {
      ranges.add(item.number, 1);
    }
    return ranges;
  }

  @Override
  protected BasicTransactionSemantics createTransaction() {
    return new Transaction();
  }

  private final class Transaction extends BasicTransactionSemantics {
    private final List<Item> taken = new ArrayList<>();

    @Override
    protected void doPut(Event event) {
      throw new ChannelException("channel " + getName() + " is native: a sink can take from it and not put");
    }

    @Override
    protected Event doTake() throws InterruptedException {
      if (taken.size() >= transactionCapacity) {
        throw new ChannelException("Take list for MemoryTransaction, capacity " + transactionCapacity
            + " full, consider committing more frequently, increasing capacity, or increasing thread count");
      }
      Item item = next(!taken.isEmpty());
      if (item == null) {
        return null;
      }
      taken.add(item);
      return item.event;
    }

    @Override
    protected void doCommit() {
      if (!taken.isEmpty()) {
        host.send(Protocol.ACK, ranges(taken).write(new FrameWriter()));
      }
    }

    @Override
    protected void doRollback() {
      if (!taken.isEmpty()) {
        rolledBack(taken);
      }
    }
  }
}
