package org.logcluster.bridge;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * The MBeans of all native components. The native side sends the counters when components come or go, and when it is
 * asked; it is asked when somebody reads, and not again for a tenth of a second: who reads all MBeans asks once.
 */
final class Mirror {
  private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2); // then the last values are given

  /** Of all mirrors: what is ours is not asked for when the native side asks for the counters of this JVM. */
  static final Set<ObjectName> OURS = ConcurrentHashMap.newKeySet();

  private final Host host;
  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
  private final Map<String, NativeCounters> beans = new ConcurrentHashMap<>();
  private final Set<String> refused = new HashSet<>(); // used by the registrar only
  // Listeners of the server may be anybody's, so neither the thread that reads the pipe nor a component's registers.
  private final ExecutorService registrar;

  private final Object lock = new Object();
  private long taken; // when counters came last
  private boolean any; // whether some have come
  private boolean asked;
  private boolean closed;

  Mirror(Host host) {
    this.host = host;
    registrar = Executors.newSingleThreadExecutor(host.threads("counters"));
  }

  /** Takes a frame of counters. Called by the thread that reads the pipe. */
  void take(FrameReader frame) {
    Set<String> here = new HashSet<>();
    boolean changed = false;
    for (int left = frame.count(); left > 0; left--) {
      String kind = frame.text();
      String name = frame.text();
      String key = kind + "." + name;
      here.add(key);
      NativeCounters bean = beans.get(key);
      if (bean == null) {
        bean = new NativeCounters(this, kind, name);
        beans.put(key, bean);
        changed = true;
      }
      bean.set(values(frame));
    }
    if (changed || here.size() < beans.size()) {
      sync(here);
    }
    synchronized (lock) {
      taken = System.nanoTime();
      any = true;
      asked = false;
      lock.notifyAll();
    }
  }

  private static Map<String, Object> values(FrameReader frame) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (int left = frame.count(); left > 0; left--) {
      String name = frame.text();
      switch (frame.count()) {
        case Protocol.LONG:
          values.put(name, frame.number());
          break;
        case Protocol.DOUBLE:
          values.put(name, Double.valueOf(frame.text()));
          break;
        default:
          values.put(name, frame.text());
      }
    }
    return values;
  }

  private void sync(Set<String> here) {
    Map<String, NativeCounters> gone = new HashMap<>(beans);
    gone.keySet().removeAll(here);
    beans.keySet().removeAll(gone.keySet());
    change(() -> {
      gone.values().forEach(this::unregister);
      beans.forEach(this::register);
    });
  }

  /** One mirror at a time: the one before this may still be taking its own away. */
  private void change(Runnable change) {
    try {
      registrar.execute(() -> {
        synchronized (OURS) {
          change.run();
        }
      });
    } catch (RejectedExecutionException e) {
      // It has taken all of them away.
    }
  }

  private void register(String key, NativeCounters bean) {
    if (bean.isRegistered() || refused.contains(key)) {
      return;
    }
    try {
      ObjectName name = bean.objectName();
      if (OURS.contains(name)) {
        server.unregisterMBean(name); // of a mirror that is going
      }
      if (!server.isRegistered(name)) {
        server.registerMBean(bean, name);
      }
    } catch (InstanceAlreadyExistsException e) {
      // A component of this JVM counts under that name itself.
    } catch (Exception e) {
      refused.add(key);
      tell("Failed to register monitored counter group for " + bean.title() + ": it cannot be read over JMX", e);
    }
  }

  private void unregister(NativeCounters bean) {
    try {
      if (bean.isRegistered()) {
        server.unregisterMBean(bean.objectName());
      }
    } catch (InstanceNotFoundException e) {
      // A component of this JVM has just taken the name over.
    } catch (Exception e) {
      tell("The MBean of " + bean.title() + " cannot be taken away", e);
    }
  }

  private static void tell(String text, Exception why) {
    String thread = Thread.currentThread().getName();
    Logs.line("ERROR", Mirror.class.getName(), thread, System.currentTimeMillis(), text, why);
  }

  /** Somebody reads: has the counters as they are now, unless the native side is silent. */
  void refresh() {
    long begun = System.nanoTime();
    boolean ask;
    synchronized (lock) {
      if (closed || any && begun - taken < FRESH_NANOS) {
        return;
      }
      ask = !asked;
      asked = true;
    }
    try {
      if (ask) {
        host.send(Protocol.COUNT, new FrameWriter(16));
      }
      await(begun);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the last values will do
    } catch (RuntimeException agentIsGone) {
      close();
    }
  }

  private void await(long begun) throws InterruptedException {
    synchronized (lock) {
      while (!closed && asked) {
        long left = begun + PATIENCE_NANOS - System.nanoTime();
        if (left <= 0) {
          asked = false; // the next one asks again
          return;
        }
        TimeUnit.NANOSECONDS.timedWait(lock, left);
      }
    }
  }

  /** Returns when what has come so far is registered. */
  void settle() throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    registrar.execute(done::countDown);
    done.await();
  }

  /** Nobody answers any more: readers get the last values. */
  void close() {
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
  }

  /** Takes all MBeans away. */
  void clear() {
    change(() -> beans.values().forEach(this::unregister));
    registrar.shutdown();
  }
}
