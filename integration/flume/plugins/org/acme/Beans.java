package org.acme;

import java.io.IOException;
import java.util.TreeSet;
import javax.management.Attribute;
import javax.management.JMException;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** Flume's MBeans as lines: name, attribute, type, value. As a program it prints those of the JVM behind a port. */
public final class Beans {
  private Beans() { }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    JMXServiceURL url = new JMXServiceURL("service:jmx:rmi:///jndi/rmi://127.0.0.1:" + arguments[0] + "/jmxrmi");
    try (JMXConnector connector = JMXConnectorFactory.connect(url)) {
      System.out.print(lines(connector.getMBeanServerConnection()));
    }
  }

  static String lines(MBeanServerConnection server) throws IOException, JMException {
    StringBuilder lines = new StringBuilder();
    for (ObjectName name : new TreeSet<>(server.queryNames(new ObjectName("org.apache.flume*:*"), null))) {
      for (MBeanAttributeInfo info : server.getMBeanInfo(name).getAttributes()) {
        Object value = server.getAttribute(name, info.getName());
        Attribute again = server.getAttributes(name, new String[] {info.getName()}).asList().get(0);
        if (value.getClass() != again.getValue().getClass() || info.isWritable() || !info.isReadable()) {
          throw new IllegalStateException(name + " " + info + ": " + value + ", " + again);
        }
        lines.append(name).append(' ').append(info.getName()).append(' ').append(info.getType()).append(' ')
            .append(value.getClass().getSimpleName()).append(' ').append(value).append('\n');
      }
    }
    return lines.toString();
  }
}
