package org.logcluster.bridge;

import java.util.concurrent.Semaphore;
import org.apache.flume.Context;
import org.apache.flume.Sink;
import org.apache.flume.conf.Configurables;
import org.apache.flume.sink.DefaultSinkFactory;

/**
 * A sink over a {@link LeaseChannel}. PROCESS makes its thread call process() for as long as that is READY; anything else
 * ends it with DONE, and the native side says when to go on. So back-off and failover stay native.
 */
final class SinkHost extends Host {
  private final Semaphore go = new Semaphore(0);
  private Sink sink;
  private LeaseChannel channel;
  private Thread runner;
  private volatile boolean stopping;
  private volatile boolean recalled;

  SinkHost(Bridge bridge, int id, String name) {
    super(bridge, id, "sink", name);
  }

  @Override
  void create(Description description) {
    String channelName = description.names.isEmpty() ? "none" : description.names.get(0);
    LeaseChannel lease =
        new LeaseChannel(this, channelName, description.transactionCapacity, description.keepAliveMillis);
    Sink created = new DefaultSinkFactory().create(name, description.type);
    Configurables.configure(created, new Context(description.properties));
    created.setChannel(lease);
    synchronized (this) {
      channel = lease;
      sink = created;
    }
    created(created, batchSize(created), "sink");
  }

  @Override
  void start() {
    channel.start();
    sink.start();
    stopping = false;
    runner = threads("SinkRunner-PollingRunner-" + name).newThread(this::loop);
    runner.start();
    send(Protocol.STARTED, new FrameWriter(16));
  }

  private void loop() {
    while (!stopping) {
      try {
        go.acquire();
        go.drainPermits();
      } catch (InterruptedException e) {
        continue; // stopping, or the sink has interrupted its own thread
      }
      if (!stopping && !round()) {
        return;
      }
    }
  }

  /** Runs the sink until it is not READY. Says whether the thread goes on. */
  private boolean round() {
    long runs = 0;
    long starved = channel.starved();
    int outcome = Protocol.READY;
    Throwable failure = null;
    try {
      while (outcome == Protocol.READY && !stopping && !recalled) {
        starved = channel.starved();
        runs++;
        outcome = sink.process() == Sink.Status.BACKOFF ? Protocol.BACKOFF : Protocol.READY;
      }
    } catch (Exception e) {
      failure = e;
      outcome = Protocol.EXCEPTION;
    } catch (Throwable e) { // an Error ends Flume's runner thread, with a line on stderr; here it is told
      failure = e;
      outcome = Protocol.DEAD;
    }
    boolean empty = channel.starved() != starved;
    FrameWriter done = new FrameWriter().number(outcome).number(runs).number(empty ? 1 : 0);
    if (failure != null) {
      Failure.write(done, failure);
    }
    send(Protocol.DONE, done);
    return outcome != Protocol.DEAD;
  }

  @Override
  void stop() throws InterruptedException {
    stopping = true;
    if (channel != null) {
      channel.stopTakes();
    }
    if (runner != null) {
      runner.interrupt();
      runner.join();
    }
    if (sink != null) {
      sink.stop();
    }
    if (channel != null) {
      channel.recall();
      channel.stop();
    }
    send(Protocol.STOPPED, new FrameWriter(16));
  }

  @Override
  void frame(FrameReader frame) {
    LeaseChannel lease;
    synchronized (this) {
      lease = channel;
    }
    if (lease == null) {
      return; // a frame for a sink that could not be created
    }
    switch (frame.type()) {
      case Protocol.EVENTS:
        lease.add(frame);
        break;
      case Protocol.PROCESS:
        recalled = false;
        lease.open();
        go.release();
        break;
      case Protocol.RECALL:
        recalled = true;
        lease.recall();
        break;
      default:
    }
  }
}
