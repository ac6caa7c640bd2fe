package org.logcluster.bridge;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flume.Channel;
import org.apache.flume.ChannelException;
import org.apache.flume.ChannelSelector;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.channel.BasicChannelSemantics;
import org.apache.flume.channel.BasicTransactionSemantics;
import org.apache.flume.channel.ChannelSelectorFactory;
import org.apache.flume.interceptor.Interceptor;
import org.apache.flume.interceptor.InterceptorBuilderFactory;
import org.apache.flume.interceptor.InterceptorChain;

/** A chain of interceptors, a channel selector, or both: a batch in, a batch out. Calls are answered in their order. */
final class ChainHost extends Host {
  private final InterceptorChain chain = new InterceptorChain();
  private final Map<Channel, Integer> indexes = new IdentityHashMap<>();
  private final ExecutorService calls;
  private ChannelSelector selector;

  ChainHost(Bridge bridge, int id, String name) {
    super(bridge, id, "interceptors of source", name);
    calls = Executors.newSingleThreadExecutor(threads("interceptors-" + name));
  }

  /** A channel that has a name and no more. */
  static final class NamedChannel extends BasicChannelSemantics {
    NamedChannel(String name) {
      setName(name);
    }

    @Override
    protected BasicTransactionSemantics createTransaction() {
      throw new ChannelException("channel " + getName() + " is native: here it has a name and no events");
    }
  }

  @Override
  void create(Description description) throws Throwable {
    StringBuilder classes = new StringBuilder();
    List<Interceptor> interceptors = new ArrayList<>();
    String names = description.properties.get("interceptors");
    if (names != null && !names.trim().isEmpty()) {
      for (String each : names.trim().split("\\s+")) {
        Interceptor interceptor = interceptor(description, each);
        interceptors.add(interceptor);
        classes.append(interceptor.getClass().getName()).append(' ');
      }
    }
    chain.setInterceptors(interceptors);
    if (description.properties.get("selector.type") != null) {
      List<Channel> channels = new ArrayList<>();
      for (String channelName : description.names) {
        Channel channel = new NamedChannel(channelName);
        indexes.put(channel, channels.size());
        channels.add(channel);
      }
      selector = ChannelSelectorFactory.create(channels, description.below("selector."));
      classes.append(selector.getClass().getName());
    }
    send(Protocol.CREATED, new FrameWriter().text(classes.toString().trim()).number(-1).text("interceptors"));
  }

  private static Interceptor interceptor(Description description, String name) throws Exception {
    Context context = new Context(description.below("interceptors." + name + "."));
    String type = context.getString("type");
    if (type == null) {
      throw new IllegalArgumentException("interceptor " + name + " has no type");
    }
    Interceptor.Builder builder = InterceptorBuilderFactory.newInstance(type);
    builder.configure(context);
    return builder.build();
  }

  @Override
  void start() {
    chain.initialize();
    send(Protocol.STARTED, new FrameWriter(16));
  }

  @Override
  void stop() {
    chain.close();
    send(Protocol.STOPPED, new FrameWriter(16));
  }

  @Override
  void frame(final FrameReader frame) {
    if (frame.type() == Protocol.CALL) {
      calls.execute(() -> call(frame));
    }
  }

  private void call(FrameReader frame) {
    long call = frame.number();
    long objects = 0;
    try {
      boolean single = frame.number() == 1;
      List<CalledEvent> events = frame.called();
      List<Event> answer = single ? one(events) : chain.intercept(new ArrayList<Event>(events));
      FrameWriter result = new FrameWriter(64 + events.size() * 16);
      objects = bridge.kept.keep(answer);
      withObjects(objects, result);
      result.number(call).number(selector == null ? 0 : 1).number(answer.size());
      new Answer(frame, result).write(answer);
      send(kind(Protocol.RESULT, objects), result);
    } catch (Throwable failure) {
      bridge.kept.release(objects);
      send(Protocol.ERROR, Failure.write(new FrameWriter().text("call " + call), failure));
    }
  }

  /** Some sources have each event go through intercept(Event), and there are classes that get only that one right. */
  private List<Event> one(List<CalledEvent> events) {
    List<Event> answer = new ArrayList<>(events.size());
    for (Event event : events) {
      Event left = chain.intercept(event);
      if (left != null) {
        answer.add(left);
      }
    }
    return answer;
  }

  /** Writes what came out of a call: what has not changed is named, not carried. */
  private final class Answer {
    private final FrameReader call;
    private final FrameWriter out;
    private int mapFrom; // where in the frame the last header map is
    private int mapTo;
    private Object[] texts = new Object[0]; // its keys and values by turns, if all of them are strings
    private int used;
    private List<Channel> required;
    private List<Channel> optional;

    Answer(FrameReader call, FrameWriter out) {
      this.call = call;
      this.out = out;
    }

    void write(List<Event> events) {
      for (Event event : events) {
        if (event == null) {
          throw new IllegalArgumentException("put() called with null event!");
        }
        CalledEvent called = event instanceof CalledEvent ? (CalledEvent) event : null;
        if (called != null && called.isOf(call) && called.hasItsBody()) {
          reference(called);
        } else {
          out.number(0);
          writeMap(event);
          byte[] body = event.getBody();
          out.bytes(body == null ? new byte[0] : body, 0, body == null ? 0 : body.length);
        }
        if (selector != null) {
          route(event);
        }
      }
    }

    private void reference(CalledEvent event) {
      out.number(event.index + 1);
      if (event.hasItsHeaders()) {
        out.number(Protocol.UNCHANGED);
        return;
      }
      if (isLast(event.getHeaders())) {
        out.number(Protocol.SAME_HEADERS_AS_BEFORE);
        return;
      }
      int before = out.mark();
      out.number(Protocol.NEW_HEADERS);
      int from = out.mark();
      event.writeHeaders(out);
      int to = out.mark();
      if (mapTo > mapFrom && out.same(mapFrom, mapTo, from, to)) {
        out.reset(before);
        out.number(Protocol.SAME_HEADERS_AS_BEFORE);
      } else {
        mapFrom = from;
        mapTo = to;
      }
      remember(event.getHeaders());
    }

    /** Whether a map has the very strings of the last one, in its order: then it need not be written to be compared. */
    private boolean isLast(Map<?, ?> map) {
      if (used == 0 || map.size() * 2 != used) {
        return false;
      }
      int at = 0;
      for (Map.Entry<?, ?> header : map.entrySet()) {
        if (header.getKey() != texts[at++] || header.getValue() != texts[at++]) {
          return false;
        }
      }
      return true;
    }

    private void remember(Map<?, ?> map) {
      used = 0;
      int at = 0;
      if (texts.length < map.size() * 2) {
        texts = new Object[map.size() * 2];
      }
      for (Map.Entry<?, ?> header : map.entrySet()) {
        if (!(header.getKey() instanceof String && header.getValue() instanceof String)) {
          return; // what is no string may be another one the next time it is asked
        }
        texts[at++] = header.getKey();
        texts[at++] = header.getValue();
      }
      used = at;
    }

    private void writeMap(Event event) {
      used = 0;
      mapFrom = out.mark();
      if (event instanceof CalledEvent && ((CalledEvent) event).isOf(call)) {
        ((CalledEvent) event).writeHeaders(out);
      } else {
        out.headers(event.getHeaders(), call.odd());
      }
      mapTo = out.mark();
    }

    private void route(Event event) {
      List<Channel> needed = selector.getRequiredChannels(event);
      List<Channel> wanted = selector.getOptionalChannels(event);
      if (required != null && required.equals(needed) && same(optional, wanted)) {
        out.number(0);
        return;
      }
      required = needed == null ? new ArrayList<Channel>() : new ArrayList<>(needed);
      optional = wanted == null ? null : new ArrayList<>(wanted);
      out.number(1);
      indexes(required);
      indexes(optional);
    }

    private boolean same(List<Channel> one, List<Channel> other) {
      return one == null ? other == null : one.equals(other);
    }

    private void indexes(List<Channel> channels) {
      out.number(channels == null ? 0 : channels.size());
      if (channels != null) {
        for (Channel channel : channels) {
          Integer index = indexes.get(channel);
          if (index == null) {
            throw new ChannelException("the selector names a channel that is none of the source's: " + channel);
          }
          out.number(index);
        }
      }
    }
  }
}
