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

  /** An event that was rolled back. */
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

    Lease(FrameReader frame, Kept kept) {
      this.frame = frame;
      this.next = frame.number();
      this.left = frame.list(kept); // now: later they may be given up
    }
  }

  LeaseChannel(SinkHost host, String name, long transactionCapacity, long keepAliveMillis) {
    this.host = host;
    this.transactionCapacity = transactionCapacity;
    this.keepAliveMillis = keepAliveMillis;
    setName(name);
  }

  void add(FrameReader frame) {
    Lease lease = new Lease(frame, host.bridge.kept);
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
        drop(lease);
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
  private synchronized Event next(Taken taken) throws InterruptedException {
    long deadline = 0;
    long recallsBefore = recalls;
    for (;;) {
      Item item = returned.poll();
      if (item != null) {
        return taken.add(item.number, item.event);
      }
      Lease lease = oldest();
      if (lease != null) {
        Event event = lease.frame.event(); // before its number: nothing is skipped when it fails
        taken.add(lease.next++, event);
        if (--lease.left == 0) {
          drop(lease);
        }
        waiting = false;
        return event;
      }
      if (!waiting) {
        waiting = true;
        continue;
      }
      long now = System.nanoTime() / 1000000;
      if (deadline == 0) {
        deadline = now + keepAliveMillis;
      }
      if (!taken.events.isEmpty() || stopping || recalls != recallsBefore || now >= deadline) {
        starved++;
        return null;
      }
      wait(deadline - now);
    }
  }

  /** The oldest lease has nothing left. */
  private void drop(Lease lease) {
    leases.poll();
    host.bridge.in.release(lease.frame);
  }

  private void rolledBack(Taken taken) {
    synchronized (this) {
      if (open) {
        long[] numbers = taken.numbers.all(taken.events.size());
        for (int i = numbers.length - 1; i >= 0; i--) {
          returned.addFirst(new Item(numbers[i], taken.events.get(i)));
        }
        notifyAll();
        return;
      }
    }
    host.send(Protocol.NACK, taken.numbers.write(new FrameWriter()));
  }

  @Override
  protected BasicTransactionSemantics createTransaction() {
    return new Transaction();
  }

  /** What a transaction has. */
  private static final class Taken {
    final List<Event> events = new ArrayList<>();
    final Ranges numbers = new Ranges();

    Event add(long number, Event event) {
      numbers.add(number, 1);
      events.add(event);
      return event;
    }
  }

  private final class Transaction extends BasicTransactionSemantics {
    private final Taken taken = new Taken();

    @Override
    protected void doPut(Event event) {
      throw new ChannelException("channel " + getName() + " is native: a sink can take from it and not put");
    }

    @Override
    protected Event doTake() throws InterruptedException {
      if (taken.events.size() >= transactionCapacity) {
        throw new ChannelException("Take list for MemoryTransaction, capacity " + transactionCapacity
            + " full, consider committing more frequently, increasing capacity, or increasing thread count");
      }
      return next(taken);
    }

    @Override
    protected void doCommit() {
      if (!taken.events.isEmpty()) {
        host.send(Protocol.ACK, taken.numbers.write(new FrameWriter()));
      }
    }

    @Override
    protected void doRollback() {
      if (!taken.events.isEmpty()) {
        rolledBack(taken);
      }
    }
  }
}
