package org.acme;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flume.Channel;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.PollableSource;
import org.apache.flume.Transaction;
import org.apache.flume.channel.MemoryChannel;
import org.apache.flume.conf.Configurable;
import org.apache.flume.event.SimpleEvent;
import org.apache.flume.interceptor.Interceptor;
import org.apache.flume.sink.AbstractSink;
import org.apache.flume.source.AbstractSource;

/** Classes of an operator that pass objects beside headers and body, and cast what they get. */
public final class Carrying {
  private Carrying() { }

  /** A channel of the operator's own, which keeps the objects. */
  public static final class Queue extends MemoryChannel { }

  /** An event with an object of its own. */
  public static class Carried implements Event {
    private Map<String, String> headers = new HashMap<>();
    private byte[] body = new byte[0];
    final List<String> notes = new ArrayList<>();

    Carried(byte[] body) {
      this.body = body;
    }

    @Override
    public Map<String, String> getHeaders() {
      return headers;
    }

    @Override
    public void setHeaders(Map<String, String> headers) {
      this.headers = headers;
    }

    @Override
    public byte[] getBody() {
      return body;
    }

    @Override
    public void setBody(byte[] body) {
      this.body = body;
    }
  }

  /** One whose headers are others whenever they are asked for, and cannot be set. */
  static final class Stubborn extends Carried {
    private int asked;

    Stubborn(byte[] body) {
      super(body);
    }

    @Override
    public Map<String, String> getHeaders() {
      return Collections.singletonMap("asked", String.valueOf(asked++ == 0));
    }

    @Override
    public void setHeaders(Map<String, String> headers) {
      throw new UnsupportedOperationException("they are mine");
    }
  }

  /** Numbers, in batches of ten; each third one is an event like any other, or with {@code stubborn} one of that kind. The file {@code done} is there when all are stored. */
  public static final class Maker extends AbstractSource implements PollableSource, Configurable {
    private int end;
    private int next;
    private String done;
    private boolean stubborn;

    @Override
    public void configure(Context context) {
      stubborn = context.getBoolean("stubborn", false);
      end = context.getInteger("end", 100);
      done = context.getString("done");
    }

    @Override
    public Status process() {
      if (next >= end && done != null) {
        new File(done).mkdir();
      }
      if (next >= end) {
        return Status.BACKOFF;
      }
      List<Event> events = new ArrayList<>();
      for (int i = next; i < Math.min(end, next + 10); i++) {
        byte[] body = String.valueOf(i).getBytes();
        Event event = new Carried(body);
        if (i % 3 == 0 && stubborn) {
          event = new Stubborn(body);
        } else if (i % 3 == 0) {
          event = new SimpleEvent();
          event.setBody(body);
        } else {
          ((Carried) event).notes.add("made");
        }
        events.add(event);
      }
      getChannelProcessor().processEventBatch(events);
      next += events.size();
      return Status.READY;
    }

    @Override
    public long getBackOffSleepIncrement() {
      return 10;
    }

    @Override
    public long getMaxBackOffSleepInterval() {
      return 100;
    }
  }

  /** Notes something in each object, and sets a header; with {@code wrap} it makes objects of events that are none. */
  public static final class Noting implements Interceptor {
    private final boolean wraps;

    Noting(boolean wraps) {
      this.wraps = wraps;
    }

    @Override
    public void initialize() { }

    @Override
    public Event intercept(Event event) {
      if (wraps) {
        Carried carried = new Carried(event.getBody());
        carried.setHeaders(event.getHeaders());
        carried.notes.add("wrapped");
        return carried;
      }
      event.getHeaders().put("noted", "yes");
      if (event instanceof Carried) {
        ((Carried) event).notes.add("noted");
      }
      return event;
    }

    @Override
    public List<Event> intercept(List<Event> events) {
      List<Event> all = new ArrayList<>();
      for (Event event : events) {
        all.add(intercept(event));
      }
      return all;
    }

    @Override
    public void close() { }

    /** Makes it. */
    public static final class Builder implements Interceptor.Builder {
      private boolean wraps;

      @Override
      public void configure(Context context) {
        wraps = context.getBoolean("wrap", false);
      }

      @Override
      public Interceptor build() {
        return new Noting(wraps);
      }
    }
  }

  /** Writes what it gets, with the object; each fifth transaction is rolled back. It begins when the file {@code from} is there. */
  public static final class Writer extends AbstractSink implements Configurable {
    private String file;
    private String from;
    private int calls;

    @Override
    public void configure(Context context) {
      file = context.getString("file");
      from = context.getString("from", "/");
    }

    @Override
    public Status process() throws EventDeliveryException {
      if (!new File(from).exists()) {
        return Status.BACKOFF;
      }
      Channel channel = getChannel();
      Transaction transaction = channel.getTransaction();
      transaction.begin();
      try {
        StringBuilder text = new StringBuilder();
        int taken = 0;
        for (; taken < 7; taken++) {
          Event event = channel.take();
          if (event == null) {
            break;
          }
          text.append(new String(event.getBody())).append(new TreeMap<>(event.getHeaders()));
          if (Integer.parseInt(new String(event.getBody())) % 3 != 0 || !(event instanceof SimpleEvent)) {
            text.append(((Carried) event).notes);
          }
          text.append('\n');
        }
        if (++calls % 5 == 0) {
          throw new EventDeliveryException("the target is away");
        }
        try (OutputStream out = new FileOutputStream(file, true)) {
          out.write(text.toString().getBytes());
        }
        transaction.commit();
        return taken == 0 ? Status.BACKOFF : Status.READY;
      } catch (IOException e) {
        transaction.rollback();
        throw new EventDeliveryException(e);
      } catch (RuntimeException | EventDeliveryException e) {
        transaction.rollback();
        throw e;
      } finally {
        transaction.close();
      }
    }
  }
}
