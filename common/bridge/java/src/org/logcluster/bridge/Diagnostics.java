package org.logcluster.bridge;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.HashMap;
import java.util.Map;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** What the native side can ask of a JVM whose components may hang, and what it is told when one ends the JVM. */
final class Diagnostics {
  private Diagnostics() { }

  /** All counters of Flume's MBeans. On a thread of its own, since a component's MBean may wait for the component. */
  static void metrics(final Bridge bridge) {
    aside("bridge-metrics", () -> {
      Map<String, Map<String, String>> beans = ownBeans();
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

  /** As Flume's JMXPollUtil has them, without those that show counters of the native side. */
  private static Map<String, Map<String, String>> ownBeans() {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    Map<String, Map<String, String>> beans = new HashMap<>();
    for (ObjectName name : server.queryNames(null, null)) {
      if (name.toString().startsWith("org.apache.flume") && !Mirror.OURS.contains(name)) {
        try {
          read(server, name, beans);
        } catch (Exception e) {
          System.err.println("org.logcluster.bridge: counters of " + name + " cannot be read: " + e);
        }
      }
    }
    return beans;
  }

  private static void read(MBeanServer server, ObjectName name, Map<String, Map<String, String>> beans)
      throws JMException {
    MBeanAttributeInfo[] infos = server.getMBeanInfo(name).getAttributes();
    String[] names = new String[infos.length];
    for (int i = 0; i < infos.length; i++) {
      names[i] = infos[i].getName();
    }
    String component = name.toString().substring(name.toString().indexOf('=') + 1);
    Map<String, String> values = new HashMap<>();
    for (Attribute attribute : server.getAttributes(name, names).asList()) {
      String value = String.valueOf(attribute.getValue());
      if (attribute.getName().equalsIgnoreCase("type")) {
        component = value + "." + component;
      }
      values.put(attribute.getName(), value);
    }
    beans.put(component, values);
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
