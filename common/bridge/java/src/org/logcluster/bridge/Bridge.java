package org.logcluster.bridge;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.flume.tools.VersionInfo;

/**
 * Hosts Flume components for a native agent. Frames come and go on two pipes, whose paths are the arguments; the third one
 * is the level of log lines.
 *
 * <p>The thread that reads the pipe never runs a component and never waits for one: it answers PING whatever they do.
 */
public final class Bridge {
  /** Exit status when the agent is gone. */
  private static final int ABANDONED = 3;
  /** Exit status when a frame is not what it should be. */
  private static final int BROKEN = 4;
  private static final long STOP_MILLIS = 10000;

  final Pipe pipe;
  final FrameInput in;
  final Kept kept = new Kept();
  final ThreadGroup components = new ThreadGroup("components");
  private final Map<Integer, Host> hosts = new ConcurrentHashMap<>();

  private Bridge(FrameInput in, Pipe pipe) {
    this.in = in;
    this.pipe = pipe;
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    System.setOut(System.err); // before any other class: what components print must not be lost or mixed with frames
    FrameInput in = new FrameInput(arguments[0], Runtime.getRuntime().maxMemory());
    Bridge bridge = new Bridge(in, new Pipe(arguments[1]));
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> bridge.uncaught(0, thread, failure));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Diagnostics.exiting(bridge), "bridge-exit"));
    Logs.install(bridge.pipe, arguments[2]);
    bridge.hello();
    int status = ABANDONED;
    try {
      bridge.read();
    } catch (IOException e) { // mostly the end of the pipe
      bridge.abandoned();
    } catch (RuntimeException e) {
      System.err.println("org.logcluster.bridge: a frame cannot be read: " + e);
      status = BROKEN;
    }
    Runtime.getRuntime().halt(status);
  }

  private void hello() {
    long started = ManagementFactory.getRuntimeMXBean().getStartTime();
    String process = ManagementFactory.getRuntimeMXBean().getName();
    pipe.send(Protocol.HELLO, 0, new FrameWriter()
        .number(Protocol.VERSION)
        .text(flumeVersion())
        .text(System.getProperty("java.version"))
        .text(process)
        .number(System.currentTimeMillis() - started)
        .number(Runtime.getRuntime().maxMemory()));
  }

  private static String flumeVersion() {
    try {
      return VersionInfo.getVersion();
    } catch (Throwable t) {
      return "unknown";
    }
  }

  private void read() throws IOException {
    for (;;) {
      FrameReader frame = in.next();
      if (frame.component() == 0) {
        own(frame);
      } else {
        dispatch(frame);
      }
    }
  }

  private void own(FrameReader frame) {
    switch (frame.type()) {
      case Protocol.PING:
        pipe.send(Protocol.PONG, 0);
        break;
      case Protocol.METRICS:
        Diagnostics.metrics(this);
        break;
      case Protocol.DUMP:
        Diagnostics.dump(this, 0, null);
        break;
      case Protocol.RELEASE:
        kept.release(frame.number());
        break;
      default:
    }
  }

  private void dispatch(FrameReader frame) {
    int id = frame.component();
    if (frame.type() == Protocol.CREATE) {
      create(id, frame);
      return;
    }
    final Host host = hosts.get(id);
    if (host == null) {
      return; // discarded meanwhile
    }
    switch (frame.type()) {
      case Protocol.START:
        host.startAndTell();
        break;
      case Protocol.STOP:
        host.stopAndTell();
        break;
      case Protocol.DISCARD:
        hosts.remove(id);
        host.discard();
        break;
      case Protocol.DUMP:
        Diagnostics.dump(this, id, host.group);
        break;
      default:
        host.frame(frame);
    }
  }

  private void create(int id, FrameReader frame) {
    int kind = frame.count();
    String name = frame.text();
    final Host.Description description = new Host.Description(frame);
    final Host host = host(kind, id, name);
    hosts.put(id, host);
    host.control("create", () -> host.create(description));
  }

  private Host host(int kind, int id, String name) {
    switch (kind) {
      case Protocol.SOURCE:
        return new SourceHost(this, id, name);
      case Protocol.SINK:
        return new SinkHost(this, id, name);
      case Protocol.INTERCEPTORS:
        return new ChainHost(this, id, name);
      case Protocol.CHANNEL:
        return new ChannelHost(this, id, name);
      case Protocol.GROUP:
        return new GroupHost(this, id, name);
      case Protocol.FILTER:
        return new FilterHost(this, id, name);
      case Protocol.MONITOR:
        return new MonitorHost(this, id, name);
      default:
        throw new IllegalArgumentException("component " + name + " is of an unknown kind, " + kind);
    }
  }

  void uncaught(int component, Thread thread, Throwable failure) {
    try {
      pipe.send(Protocol.UNCAUGHT, component, Failure.write(new FrameWriter().text(thread.getName()), failure));
    } catch (Throwable nobodyListens) {
      System.err.println(Failure.stack(failure));
    }
  }

  /** The agent is gone: components close their files, channels last, but not for ever. */
  private void abandoned() throws InterruptedException {
    Thread.interrupted(); // by a component: the end must not be skipped
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STOP_MILLIS);
    discardAll(host -> !(host instanceof ChannelHost), deadline);
    discardAll(host -> host instanceof ChannelHost, deadline);
  }

  private void discardAll(Predicate<Host> which, long deadline) throws InterruptedException {
    List<CountDownLatch> stops = new ArrayList<>();
    for (Host host : hosts.values()) {
      if (which.test(host)) {
        stops.add(host.discard());
      }
    }
    for (CountDownLatch stop : stops) {
      stop.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    }
  }
}
