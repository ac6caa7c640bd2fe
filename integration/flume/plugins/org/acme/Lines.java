package org.acme;

import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.flume.Channel;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.FlumeException;
import org.apache.flume.Transaction;
import org.apache.flume.conf.Configurable;
import org.apache.flume.instrumentation.SinkCounter;
import org.apache.flume.sink.AbstractSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An operator's sink: writes lines to a file. What goes wrong stands in {@code mode}. */
public class Lines extends AbstractSink implements Configurable {
  private static final Logger LOG = LoggerFactory.getLogger(Lines.class);

  private int batchSize;
  private String mode;
  private String file;
  private String exitAt;
  private OutputStream out;
  private SinkCounter counter;
  private int calls;

  @Override
  public void configure(Context context) {
    batchSize = context.getInteger("batchSize", 100);
    mode = context.getString("mode", "");
    file = context.getString("file", "/dev/null");
    exitAt = context.getString("exitAt", "");
    if (mode.equals("bad-setting")) {
      throw new org.apache.flume.conf.ConfigurationException("mode may not be bad-setting");
    }
    counter = new SinkCounter(getName());
  }

  @Override
  public synchronized void start() {
    try {
      out = new FileOutputStream(file, true);
    } catch (IOException e) {
      throw new FlumeException(e);
    }
    counter.start();
    LOG.info("Lines writes to {}", file);
    LOG.debug("this is not shown");
    super.start();
  }

  @Override
  public synchronized void stop() {
    try {
      out.close();
    } catch (IOException e) {
      LOG.error("cannot close", e);
    }
    counter.stop();
    super.stop();
  }

  @Override
  public Status process() throws EventDeliveryException {
    calls++;
    switch (mode) {
      case "exit":
        System.exit(9);
        break;
      case "error":
        throw new NoClassDefFoundError("org/kite/Missing");
      case "hang":
        hang();
        break;
      case "stray":
        stray();
        break;
      case "leak":
        Leak.more();
        break;
      case "leak-aside":
        new Thread(this::leak, "worker").start();
        break;
      case "heap":
        throw new EventDeliveryException(String.valueOf(new byte[64][64 << 20].length));
      default:
    }
    Channel channel = getChannel();
    Transaction transaction = channel.getTransaction();
    transaction.begin();
    try {
      Status status = move(channel);
      transaction.commit();
      return status;
    } catch (Throwable failure) {
      transaction.rollback();
      if (failure instanceof RuntimeException) {
        throw (RuntimeException) failure;
      }
      throw new EventDeliveryException(failure);
    } finally {
      transaction.close();
    }
  }

  private Status move(Channel channel) throws IOException, EventDeliveryException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    int taken = 0;
    for (; taken < batchSize; taken++) {
      Event event = channel.take();
      if (event == null) {
        break;
      }
      if (!exitAt.isEmpty() && exitAt.equals(new String(event.getBody()))) {
        System.exit(9);
      }
      text.write(event.getBody());
      text.write('\n');
    }
    if (taken > 0 && (mode.equals("throw") || mode.equals("throw-odd") && calls % 2 == 1)) {
      throw new EventDeliveryException("the target is away");
    }
    out.write(text.toByteArray());
    counter.addToEventDrainSuccessCount(taken);
    return taken == 0 ? Status.BACKOFF : Status.READY;
  }

  private static void hang() {
    for (;;) {
      try {
        Thread.sleep(3600 * 1000);
      } catch (InterruptedException e) {
        // It does not stop for anything.
      }
    }
  }

  private void leak() {
    for (;;) {
      Leak.more();
    }
  }

  private static void stray() {
    Thread thread = new Thread("stray") {
      @Override
      public void run() {
        throw new IllegalStateException("nobody catches this");
      }
    };
    thread.start();
  }
}
