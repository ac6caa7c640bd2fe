package org.logcluster.bridge;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.Map;
import org.apache.flume.instrumentation.util.JMXPollUtil;

/** What the native side can ask of a JVM whose components may hang, and what it is told when one ends the JVM. */
final class Diagnostics {
  private Diagnostics() { }

  /** All counters of Flume's MBeans. On a thread of its own, since a component's MBean may wait for the component. */
  static void metrics(final Bridge bridge) {
    aside("bridge-metrics", () -> {
      Map<String, Map<String, String>> beans = JMXPollUtil.getAllMBeans();
      FrameWriter out = new FrameWriter().number(beans.size());
      for (Map.Entry<String, Map<String, String>> bean : beans.entrySet()) {
        out.text(bean.getKey()).number(bean.getValue().size());
        for (Map.Entry<String, String> counter : bean.getValue().entrySet()) {
          out.texts(counter.getKey(), counter.getValue());
        }
      }
      bridge.pipe.send(Protocol.METRICS_ARE, 0, out);
    });
  }

  /** Stacks: of all threads, or of those of one component. */
  static void dump(final Bridge bridge, final int id, final ThreadGroup group) {
    aside("bridge-dump", () -> {
      StringBuilder text = new StringBuilder();
      for (Map.Entry<Thread, StackTraceElement[]> each : Thread.getAllStackTraces().entrySet()) {
        Thread thread = each.getKey();
        if (group == null || belongs(thread, group)) {
          text.append('"').append(thread.getName()).append("\" ").append(thread.getState()).append('\n');
          stack(text, each.getValue());
        }
      }
      bridge.pipe.send(Protocol.DUMPED, id, new FrameWriter().texts(deadlock(), Failure.cut(text.toString())));
    });
  }

  private static boolean belongs(Thread thread, ThreadGroup group) {
    ThreadGroup of = thread.getThreadGroup();
    return of != null && group.parentOf(of);
  }

  /** One line that names threads which wait for each other, or nothing. */
  private static String deadlock() {
    long[] ids = ManagementFactory.getThreadMXBean().findDeadlockedThreads();
    if (ids == null) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    for (ThreadInfo thread : ManagementFactory.getThreadMXBean().getThreadInfo(ids)) {
      if (thread != null) {
        text.append(text.length() == 0 ? "" : "; ").append(thread.getThreadName())
            .append(" waits for ").append(thread.getLockName()).append(" of ").append(thread.getLockOwnerName());
      }
    }
    return text.toString();
  }

  /** The JVM ends: says which thread of which component has called System.exit, if one has. */
  static void exiting(Bridge bridge) {
    String component = "";
    String text = "";
    for (Map.Entry<Thread, StackTraceElement[]> each : Thread.getAllStackTraces().entrySet()) {
      if (callsExit(each.getValue())) {
        StringBuilder stack = new StringBuilder();
        stack(stack, each.getValue());
        component = component(bridge, each.getKey());
        text = "\"" + each.getKey().getName() + "\"\n" + stack;
      }
    }
    try {
      bridge.pipe.send(Protocol.EXITING, 0, new FrameWriter().texts(component, Failure.cut(text)));
    } catch (Throwable nobodyListens) {
      // The agent is gone, too.
    }
  }

  private static boolean callsExit(StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      if (frame.getClassName().equals("java.lang.Runtime") && frame.getMethodName().equals("exit")) {
        return true;
      }
    }
    return false;
  }

  /** The name of the component whose thread it is: "sink k1". */
  private static String component(Bridge bridge, Thread thread) {
    ThreadGroup group = thread.getThreadGroup();
    while (group != null && group.getParent() != bridge.components) {
      group = group.getParent();
    }
    return group == null ? "" : group.getName();
  }

  private static void stack(StringBuilder text, StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      // Without the module and the class loader that Java 9 and above put before a class.
      text.append("\tat ").append(frame.getClassName()).append('.').append(frame.getMethodName()).append('(')
          .append(frame.getFileName()).append(':').append(frame.getLineNumber()).append(")\n");
    }
  }

  private static void aside(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }
}
