package org.acme;

import java.util.ArrayList;
import java.util.List;
import org.apache.flume.ChannelException;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.PollableSource;
import org.apache.flume.conf.Configurable;
import org.apache.flume.event.EventBuilder;
import org.apache.flume.source.AbstractSource;

/** An operator's pollable source: numbers as text, in batches, each once. */
public class Polled extends AbstractSource implements PollableSource, Configurable {
  private int batch;
  private int end;
  private int exitAt;
  private boolean leaks;
  private int next;

  @Override
  public void configure(Context context) {
    batch = context.getInteger("batch", 10);
    end = context.getInteger("end", 100);
    exitAt = context.getInteger("exitAt", -1);
    leaks = context.getBoolean("leaks", false);
  }

  @Override
  public Status process() {
    if (next == exitAt) {
      System.exit(9);
    }
    if (leaks) {
      Leak.more();
    }
    if (next >= end) {
      return Status.BACKOFF;
    }
    List<Event> events = new ArrayList<>();
    for (int i = next; i < Math.min(end, next + batch); i++) {
      events.add(EventBuilder.withBody(String.valueOf(i).getBytes()));
    }
    try {
      getChannelProcessor().processEventBatch(events);
    } catch (ChannelException e) {
      System.err.println("Polled gets " + e.getClass().getName() + ": " + e.getMessage());
      return Status.BACKOFF;
    }
    next += events.size();
    return Status.READY;
  }

  @Override
  public long getBackOffSleepIncrement() {
    return 10;
  }

  @Override
  public long getMaxBackOffSleepInterval() {
    return 50;
  }

  @Override
  public synchronized void stop() {
    System.err.println("Polled stops at " + next);
    super.stop();
  }
}
