package org.logcluster.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flume.Channel;
import org.apache.flume.ChannelFullException;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.Transaction;
import org.apache.flume.channel.DefaultChannelFactory;
import org.apache.flume.conf.Configurables;
import org.apache.flume.conf.TransactionCapacitySupported;

/**
 * A channel of the class path. A transaction belongs to a thread, so one that takes keeps its thread until it is settled. The
 * next one gets the thread that took last, and puts get others: a channel may keep something for each thread that takes.
 */
final class ChannelHost extends Host {
  private final Map<Long, BlockingQueue<Boolean>> open = new ConcurrentHashMap<>();
  private final ExecutorService puts;
  /** Threads that have taken and do nothing now, the last one first. */
  private final ConcurrentLinkedDeque<ExecutorService> takers = new ConcurrentLinkedDeque<>();
  private Channel channel;

  ChannelHost(Bridge bridge, int id, String name) {
    super(bridge, id, "channel", name);
    puts = Executors.newCachedThreadPool(threads("transaction-" + name));
  }

  @Override
  void create(Description description) {
    Channel created = new DefaultChannelFactory().create(name, description.type);
    created.setName(name);
    Configurables.configure(created, new Context(description.properties));
    channel = created;
    created(created, transactionCapacity(created), "channel");
  }

  private static long transactionCapacity(Object channel) {
    try {
      return channel instanceof TransactionCapacitySupported
          ? ((TransactionCapacitySupported) channel).getTransactionCapacity() : -1;
    } catch (Throwable t) {
      return -1;
    }
  }

  @Override
  void start() {
    channel.start();
    send(Protocol.STARTED, new FrameWriter(16));
  }

  @Override
  void stop() {
    abandoned();
    if (channel != null) {
      channel.stop();
    }
    send(Protocol.STOPPED, new FrameWriter(16));
  }

  @Override
  void abandoned() {
    for (BlockingQueue<Boolean> end : open.values()) {
      end.offer(false);
    }
  }

  @Override
  void frame(final FrameReader frame) {
    final long number = frame.number();
    switch (frame.type()) {
      case Protocol.C_END:
        BlockingQueue<Boolean> end = open.get(number);
        if (end != null) {
          end.offer(frame.number() == 1);
        }
        break;
      case Protocol.C_PUT:
        final int count = frame.list(bridge.kept);
        puts.execute(() -> transaction(number, () -> {
          for (Event event : frame.events(count)) {
            channel.put(event);
          }
          return true;
        }, () -> { }));
        break;
      case Protocol.C_TAKE:
        final BlockingQueue<Boolean> settled = new ArrayBlockingQueue<>(1);
        open.put(number, settled);
        final ExecutorService taker = taker();
        taker.execute(() -> transaction(number, () -> {
          sendEvents(Protocol.C_TAKEN, take(frame.number()), new FrameWriter(), number);
          return settled.take();
        }, () -> takers.addFirst(taker)));
        break;
      default:
    }
  }

  private ExecutorService taker() {
    ExecutorService idle = takers.pollFirst();
    return idle != null ? idle : Executors.newSingleThreadExecutor(threads("transaction-" + name));
  }

  private List<Event> take(long most) {
    List<Event> taken = new ArrayList<>();
    while (taken.size() < most) {
      Event event = channel.take();
      if (event == null) {
        break;
      }
      taken.add(event);
    }
    return taken;
  }

  /**
   * One transaction from its begin to its close. {@code move} puts or takes, and says whether to commit; {@code closed} comes
   * before the native side hears of its end.
   */
  private void transaction(long number, Callable<Boolean> move, Runnable closed) {
    Throwable failure = null;
    try {
      transact(move);
    } catch (Throwable e) {
      failure = e;
    } finally {
      open.remove(number);
      closed.run();
    }
    FrameWriter done = new FrameWriter().number(number);
    if (failure == null) {
      done.number(Protocol.OK);
    } else {
      Failure.write(done.number(isFull(failure) ? Protocol.FULL : Protocol.REFUSED), failure);
    }
    send(Protocol.C_DONE, done);
  }

  private void transact(Callable<Boolean> move) throws Exception {
    Transaction transaction = channel.getTransaction();
    boolean begun = false;
    try {
      transaction.begin();
      begun = true;
      if (move.call()) {
        transaction.commit();
        begun = false;
      }
    } finally {
      try {
        if (begun) {
          transaction.rollback();
        }
      } finally {
        transaction.close();
      }
    }
  }

  /** A channel may wrap what says that it is full. */
  private static boolean isFull(Throwable failure) {
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < 16; depth++) {
      if (cause instanceof ChannelFullException) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }
}
