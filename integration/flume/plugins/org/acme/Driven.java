package org.acme;

import org.apache.flume.ChannelException;
import org.apache.flume.Context;
import org.apache.flume.EventDrivenSource;
import org.apache.flume.conf.Configurable;
import org.apache.flume.event.EventBuilder;
import org.apache.flume.source.AbstractSource;

/** An operator's event-driven source: a thread of its own stores numbers one by one. */
public class Driven extends AbstractSource implements EventDrivenSource, Configurable {
  private int end;
  private volatile boolean running;
  private Thread thread;

  @Override
  public void configure(Context context) {
    end = context.getInteger("end", 100);
  }

  @Override
  public synchronized void start() {
    running = true;
    thread = new Thread("driven") {
      @Override
      public void run() {
        for (int i = 0; i < end && running; i++) {
          try {
            getChannelProcessor().processEvent(EventBuilder.withBody(String.valueOf(i).getBytes()));
          } catch (ChannelException e) {
            System.err.println("Driven loses " + i + ": " + e.getMessage());
          }
        }
      }
    };
    thread.start();
    super.start();
  }

  @Override
  public synchronized void stop() {
    running = false;
    thread.interrupt();
    super.stop();
  }
}
