package org.logcluster.bridge;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.apache.flume.Event;
import org.apache.flume.conf.BatchSizeSupported;

/**
 * A component and what drives it. Its life cycle runs on a thread of its own, so that none waits for another one. All its
 * threads, also those that it starts itself, are in one thread group: by that a stack, an exit or an uncaught exception is
 * told under the component's name.
 */
abstract class Host {
  final int id;
  final String name;
  final Bridge bridge;
  final ThreadGroup group;
  private final ExecutorService control;
  private boolean running; // used by the control thread only

  /** What the native side says of a component. */
  static final class Description {
    final String type;
    final Map<String, String> properties;
    final List<String> names; // of channels, or of a group's sinks
    final long transactionCapacity;
    final long keepAliveMillis;

    Description(FrameReader frame) {
      type = frame.text();
      properties = frame.map();
      names = frame.texts();
      transactionCapacity = frame.number();
      keepAliveMillis = frame.number();
    }

    /**
     * The properties below {@code prefix}. Context.getSubProperties gives Guava's ImmutableMap up to 1.9 and a Map since
     * 1.10, so code that calls it runs on one side only.
     */
    Map<String, String> below(String prefix) {
      Map<String, String> found = new HashMap<>();
      for (Map.Entry<String, String> property : properties.entrySet()) {
        if (property.getKey().startsWith(prefix)) {
          found.put(property.getKey().substring(prefix.length()), property.getValue());
        }
      }
      return found;
    }
  }

  /** Something that may fail in any way. */
  interface Job {
    void run() throws Throwable;
  }

  Host(Bridge bridge, int id, String kind, String name) {
    this.bridge = bridge;
    this.id = id;
    this.name = name;
    this.group = new ThreadGroup(bridge.components, kind + " " + name) {
      @Override
      public void uncaughtException(Thread thread, Throwable failure) {
        Host.this.bridge.uncaught(Host.this.id, thread, failure);
      }
    };
    this.control = Executors.newSingleThreadExecutor(threads("bridge-" + name));
  }

  final ThreadFactory threads(final String threadName) {
    return work -> {
      Thread thread = new Thread(group, work, threadName);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Runs a step of the life cycle; a failure is sent as ERROR. */
  final void control(final String phase, final Job job) {
    control.execute(() -> {
      try {
        job.run();
      } catch (Throwable failure) {
        send(Protocol.ERROR, Failure.write(new FrameWriter().text(phase), failure));
      }
    });
  }

  final void send(int type, FrameWriter frame) {
    bridge.pipe.send(type, id, frame);
  }

  /** A frame of events begins with the number of their objects, if there are any; {@link #kind} says so. */
  static FrameWriter withObjects(long objects, FrameWriter frame) {
    return objects == 0 ? frame : frame.number(objects);
  }

  static int kind(int type, long objects) {
    return objects == 0 ? type : type | Protocol.OBJECTS;
  }

  /** Sends events behind {@code numbers}. Of their objects nothing is kept when that fails. */
  final void sendEvents(int type, List<Event> events, FrameWriter frame, long... numbers) {
    long objects = bridge.kept.keep(events);
    try {
      withObjects(objects, frame);
      for (long number : numbers) {
        frame.number(number);
      }
      send(kind(type, objects), frame.events(events));
    } catch (RuntimeException | Error failure) {
      bridge.kept.release(objects);
      throw failure;
    }
  }

  final void created(Object component, long batchSize, String how) {
    send(Protocol.CREATED, new FrameWriter().text(component.getClass().getName()).number(batchSize).text(how));
  }

  /** The batch size that a component says it has, or -1. The interface is there since 1.9. */
  static long batchSize(Object component) {
    try {
      return component instanceof BatchSizeSupported ? ((BatchSizeSupported) component).getBatchSize() : -1;
    } catch (Throwable t) {
      return -1;
    }
  }

  abstract void create(Description description) throws Throwable;

  abstract void start() throws Throwable;

  abstract void stop() throws Throwable;

  /** A frame of the component's own kind. Called by the thread that reads the pipe: it must neither wait nor run the component. */
  abstract void frame(FrameReader frame);

  /** Nobody answers any more: who waits must not wait any longer. */
  void abandoned() { }

  final void startAndTell() {
    control("start", () -> {
      running = true;
      start();
    });
  }

  final void stopAndTell() {
    control("stop", () -> {
      running = false;
      stop();
    });
  }

  /** The native side has let go of it: it is stopped if it still runs. */
  final CountDownLatch discard() {
    CountDownLatch stopped = new CountDownLatch(1);
    abandoned();
    control.execute(() -> {
      try {
        if (running) {
          stop();
        }
      } catch (Throwable nobodyListens) {
        // It is forgotten whatever it does.
      } finally {
        stopped.countDown();
      }
    });
    control.shutdown();
    return stopped;
  }
}
