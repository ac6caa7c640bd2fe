package org.logcluster.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flume.Channel;
import org.apache.flume.ChannelException;
import org.apache.flume.ChannelFullException;
import org.apache.flume.ChannelSelector;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.PollableSource;
import org.apache.flume.Source;
import org.apache.flume.SourceRunner;
import org.apache.flume.channel.BasicChannelSemantics;
import org.apache.flume.channel.BasicTransactionSemantics;
import org.apache.flume.channel.ChannelProcessor;
import org.apache.flume.channel.ChannelSelectorFactory;
import org.apache.flume.conf.Configurables;
import org.apache.flume.source.DefaultSourceFactory;

/**
 * A source with Flume's own runner, channel processor, interceptors and selector. The channels behind it have the real
 * names; a commit sends the batch and waits for the native side's answer.
 */
final class SourceHost extends Host {
  private final AtomicLong transactions = new AtomicLong();
  private final Map<Long, Wait> waits = new ConcurrentHashMap<>();
  private volatile boolean abandoned;
  private SourceRunner runner;

  private static final class Wait extends CountDownLatch {
    volatile int code;
    volatile String text;

    Wait() {
      super(1);
    }

    void answer(int code, String text) {
      this.code = code;
      this.text = text;
      countDown();
    }
  }

  SourceHost(Bridge bridge, int id, String name) {
    super(bridge, id, "source", name);
  }

  @Override
  void create(Description description) {
    Source source = new DefaultSourceFactory().create(name, description.type);
    Configurables.configure(source, new Context(description.properties));
    List<Channel> channels = new ArrayList<>();
    for (String channelName : description.names) {
      channels.add(new PutChannel(channels.size(), channelName, description.transactionCapacity));
    }
    ChannelSelector selector = ChannelSelectorFactory.create(channels, description.below("selector."));
    ChannelProcessor processor = new ChannelProcessor(selector);
    Configurables.configure(processor, new Context(description.properties));
    source.setChannelProcessor(processor);
    runner = SourceRunner.forSource(source);
    created(source, batchSize(source), source instanceof PollableSource ? "pollable" : "driven");
  }

  @Override
  void start() {
    runner.start();
    send(Protocol.STARTED, new FrameWriter(16));
  }

  @Override
  void stop() {
    if (runner != null) {
      runner.stop();
    }
    send(Protocol.STOPPED, new FrameWriter(16));
  }

  @Override
  void frame(FrameReader frame) {
    if (frame.type() == Protocol.PUT_RESULT) {
      Wait wait = waits.remove(frame.number());
      if (wait != null) {
        wait.answer(frame.count(), frame.text());
      }
    }
  }

  @Override
  void abandoned() {
    abandoned = true;
    for (Wait wait : waits.values()) {
      wait.answer(Protocol.REFUSED, GONE);
    }
  }

  private static final String GONE = "the agent is gone";

  private void store(int channel, List<Event> events) {
    int size = 64;
    for (Event event : events) {
      size += 64 + (event.getBody() == null ? 0 : event.getBody().length);
    }
    long transaction = transactions.incrementAndGet();
    Wait wait = new Wait();
    waits.put(transaction, wait);
    try {
      sendEvents(Protocol.PUT, events, new FrameWriter(size), transaction, channel);
    } catch (RuntimeException | Error failure) {
      waits.remove(transaction); // nobody answers
      throw failure;
    }
    if (abandoned) {
      wait.answer(Protocol.REFUSED, GONE);
    }
    await(wait);
    if (wait.code == Protocol.FULL) {
      throw new ChannelFullException(wait.text);
    }
    if (wait.code != Protocol.OK) {
      throw new ChannelException(wait.text);
    }
  }

  /**
   * Waits in spite of interrupts: a stop interrupts the source's thread, and a batch that the native side has taken must
   * not look as if it had failed. The answer comes, since the native side answers all open ones when it stops a source.
   */
  private static void await(CountDownLatch wait) {
    boolean interrupted = false;
    for (;;) {
      try {
        wait.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private final class PutChannel extends BasicChannelSemantics {
    private final int index;
    private final long transactionCapacity;

    PutChannel(int index, String name, long transactionCapacity) {
      this.index = index;
      this.transactionCapacity = transactionCapacity;
      setName(name);
    }

    @Override
    protected BasicTransactionSemantics createTransaction() {
      return new BasicTransactionSemantics() {
        private final List<Event> events = new ArrayList<>();

        @Override
        protected void doPut(Event event) {
          if (events.size() >= transactionCapacity) {
            throw new ChannelException("Put queue for MemoryTransaction of capacity " + transactionCapacity
                + " full, consider committing more frequently, increasing capacity or increasing thread count");
          }
          events.add(event);
        }

        @Override
        protected Event doTake() {
          throw new ChannelException("channel " + getName() + " is native: a source can put into it and not take");
        }

        @Override
        protected void doCommit() {
          if (!events.isEmpty()) {
            store(index, events);
          }
        }

        @Override
        protected void doRollback() {
          events.clear();
        }
      };
    }
  }
}
