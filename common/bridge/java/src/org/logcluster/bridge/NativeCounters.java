package org.logcluster.bridge;

import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanRegistration;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.ReflectionException;

/**
 * The counters of a native component as an MBean, with the name, the attributes and the types that Flume's own
 * MonitoredCounterGroup gives it. Whoever reads an attribute gets what is counted at that moment.
 */
final class NativeCounters implements DynamicMBean, MBeanRegistration {
  private static final String FRONT = "org.apache.flume.";

  private final Mirror mirror;
  private final String kind; // SOURCE
  private final String component;
  private volatile Map<String, Object> values = Collections.emptyMap();
  private volatile ObjectName registered;

  NativeCounters(Mirror mirror, String kind, String component) {
    this.mirror = mirror;
    this.kind = kind;
    this.component = component;
  }

  ObjectName objectName() throws MalformedObjectNameException {
    return new ObjectName(FRONT + kind.toLowerCase(Locale.ENGLISH) + ":type=" + component);
  }

  String title() {
    return kind.toLowerCase(Locale.ENGLISH) + " " + component;
  }

  void set(Map<String, Object> newest) {
    values = newest;
  }

  /** A component of this JVM that registers itself under the same name takes the name over. */
  boolean isRegistered() {
    return registered != null;
  }

  @Override
  public Object getAttribute(String name) throws AttributeNotFoundException {
    mirror.refresh();
    Object value = values.get(name);
    if (value == null) {
      throw new AttributeNotFoundException("No such attribute: " + name);
    }
    return value;
  }

  @Override
  public AttributeList getAttributes(String[] names) {
    mirror.refresh();
    Map<String, Object> now = values;
    AttributeList list = new AttributeList();
    for (String name : names) {
      Object value = now.get(name);
      if (value != null) {
        list.add(new Attribute(name, value));
      }
    }
    return list;
  }

  @Override
  public void setAttribute(Attribute attribute) throws AttributeNotFoundException {
    throw new AttributeNotFoundException("Read-only attribute: " + attribute.getName());
  }

  @Override
  public AttributeList setAttributes(AttributeList attributes) {
    return new AttributeList();
  }

  @Override
  public Object invoke(String action, Object[] parameters, String[] signature) throws ReflectionException {
    throw new ReflectionException(new NoSuchMethodException(action), "No such operation: " + action);
  }

  @Override
  public MBeanInfo getMBeanInfo() {
    Map<String, Object> now = values;
    MBeanAttributeInfo[] attributes = new MBeanAttributeInfo[now.size()];
    int at = 0;
    for (Map.Entry<String, Object> value : now.entrySet()) {
      String name = value.getKey();
      attributes[at++] = new MBeanAttributeInfo(name, type(value.getValue()), name, true, false, false);
    }
    return new MBeanInfo(getClass().getName(), "Counters of " + title(), attributes, null, null, null);
  }

  /** As a getter of Flume's has it: primitive numbers. */
  private static String type(Object value) {
    if (value instanceof Long) {
      return "long";
    }
    return value instanceof Double ? "double" : value.getClass().getName();
  }

  @Override
  public ObjectName preRegister(MBeanServer server, ObjectName name) {
    registered = name;
    Mirror.OURS.add(name);
    return name;
  }

  @Override
  public void postRegister(Boolean done) {
    if (!done) {
      postDeregister();
    }
  }

  @Override
  public void preDeregister() { }

  @Override
  public void postDeregister() {
    Mirror.OURS.remove(registered);
    registered = null;
  }
}
