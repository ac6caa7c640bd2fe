package org.acme;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.Sink;
import org.apache.flume.channel.BasicChannelSemantics;
import org.apache.flume.channel.BasicTransactionSemantics;
import org.apache.flume.event.EventBuilder;
import org.apache.flume.interceptor.Interceptor;
import org.apache.flume.interceptor.InterceptorBuilderFactory;

/**
 * A class alone in a JVM, without a source, a channel and a bridge: what it takes by itself. Prints events a second.
 * Arguments: how many events, then the file that {@link Lines} writes, or a number of events in a batch and the type of an
 * interceptor.
 */
public final class Alone {
  private Alone() { }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    long events = Long.parseLong(arguments[0]);
    long nanos = arguments.length == 2
        ? sink(events, arguments[1]) : interceptor(events, Integer.parseInt(arguments[1]), arguments[2]);
    System.out.println(Math.round(events * 1e9 / nanos));
  }

  private static long sink(long events, String file) throws Exception {
    Context context = new Context();
    context.put("batchSize", "1000");
    context.put("file", file);
    Lines sink = new Lines();
    sink.setName("k1");
    sink.configure(context);
    sink.setChannel(new Endless(events));
    sink.start();
    long begun = System.nanoTime();
    while (sink.process() == Sink.Status.READY) {
      // It goes on until there are no more.
    }
    long nanos = System.nanoTime() - begun;
    sink.stop();
    return nanos;
  }

  /** Making the events counts too: each has a map of its own, as a source has to make it. */
  private static long interceptor(long events, int batch, String type) throws Exception {
    Interceptor.Builder builder = InterceptorBuilderFactory.newInstance(type);
    builder.configure(new Context());
    Interceptor interceptor = builder.build();
    interceptor.initialize();
    for (long warm = 0; warm < events; warm += batch) {
      interceptor.intercept(batch(batch));
    }
    long begun = System.nanoTime();
    for (long done = 0; done < events; done += batch) {
      interceptor.intercept(batch(batch));
    }
    return System.nanoTime() - begun;
  }

  private static List<Event> batch(int size) {
    List<Event> events = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      Map<String, String> headers = new HashMap<>();
      headers.put("host", "slave1");
      headers.put("timestamp", "1700000000000");
      events.add(EventBuilder.withBody(line(), headers));
    }
    return events;
  }

  private static byte[] line() {
    byte[] line = new byte[255];
    Arrays.fill(line, (byte) '.');
    return line;
  }

  /** Gives the same event again and again. */
  private static final class Endless extends BasicChannelSemantics {
    private final Event event = EventBuilder.withBody(line());
    private long left;

    Endless(long events) {
      left = events;
    }

    @Override
    protected BasicTransactionSemantics createTransaction() {
      return new BasicTransactionSemantics() {
        @Override
        protected void doPut(Event ignored) { }

        @Override
        protected Event doTake() {
          return left-- > 0 ? event : null;
        }

        @Override
        protected void doCommit() { }

        @Override
        protected void doRollback() { }
      };
    }
  }
}
