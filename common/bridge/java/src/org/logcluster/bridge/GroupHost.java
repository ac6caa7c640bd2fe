package org.logcluster.bridge;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flume.Context;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.Sink;
import org.apache.flume.SinkProcessor;
import org.apache.flume.sink.AbstractSink;
import org.apache.flume.sink.SinkProcessorFactory;

/** A sink processor, with its selector if it has one, over sinks whose process() asks the native side. */
final class GroupHost extends Host {
  private final List<Asking> sinks = new ArrayList<>();
  private final ExecutorService rounds;
  private SinkProcessor processor;

  GroupHost(Bridge bridge, int id, String name) {
    super(bridge, id, "sink group", name);
    rounds = Executors.newSingleThreadExecutor(threads("SinkRunner-PollingRunner-" + name));
  }

  private final class Asking extends AbstractSink {
    private final int index;
    private final BlockingQueue<Object> answers = new ArrayBlockingQueue<>(1);

    Asking(int index, String name) {
      this.index = index;
      setName(name);
      setChannel(new ChainHost.NamedChannel("native")); // AbstractSink.start() wants one
    }

    @Override
    public Status process() throws EventDeliveryException {
      GroupHost.this.send(Protocol.ASK, new FrameWriter(16).number(index));
      try {
        Object answer = answers.take();
        if (answer instanceof String) {
          throw new EventDeliveryException((String) answer);
        }
        return (Status) answer;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new EventDeliveryException(e);
      }
    }
  }

  @Override
  void create(Description description) {
    List<Sink> members = new ArrayList<>();
    for (String member : description.names) {
      Asking sink = new Asking(sinks.size(), member);
      sinks.add(sink);
      members.add(sink);
    }
    processor = SinkProcessorFactory.getProcessor(new Context(description.properties), members);
    created(processor, -1, "sink group");
  }

  @Override
  void start() {
    processor.start();
    send(Protocol.STARTED, new FrameWriter(16));
  }

  @Override
  void stop() {
    rounds.shutdownNow();
    if (processor != null) {
      processor.stop();
    }
    send(Protocol.STOPPED, new FrameWriter(16));
  }

  @Override
  void abandoned() {
    for (Asking sink : sinks) {
      sink.answers.offer("the agent is gone");
    }
  }

  @Override
  void frame(FrameReader frame) {
    if (frame.type() == Protocol.PROCESS) {
      rounds.execute(this::round);
    } else if (frame.type() == Protocol.ANSWER) {
      Asking sink = sinks.get(frame.count());
      int code = frame.count();
      Object answer = code == Protocol.EXCEPTION ? frame.text()
          : code == Protocol.BACKOFF ? Sink.Status.BACKOFF : Sink.Status.READY;
      sink.answers.offer(answer);
    }
  }

  private void round() {
    FrameWriter done = new FrameWriter();
    try {
      boolean backoff = processor.process() == Sink.Status.BACKOFF;
      done.number(backoff ? Protocol.BACKOFF : Protocol.READY).number(1).number(0);
    } catch (Exception failure) {
      Failure.write(done.number(Protocol.EXCEPTION).number(1).number(0), failure);
    } catch (Throwable failure) {
      Failure.write(done.number(Protocol.DEAD).number(1).number(0), failure);
    }
    send(Protocol.DONE, done);
  }
}
