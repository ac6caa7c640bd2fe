package org.logcluster.bridge;

import java.io.File;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.kerberos.KerberosPrincipal;
import javax.security.auth.kerberos.KeyTab;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslClient;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.Oid;

/**
 * One login by Kerberos to one server, for a native agent that has the connection: a process of its own, which needs the JDK alone.
 * Frames come on the first pipe that is named and go to the second one, each a length and as many bytes:
 *
 * <ul>
 *   <li>in: the wish, texts behind their lengths (section, service, host, address, canonicalize, principal, then names and values of
 *       system properties in turn); out: {@code L}, the principal that is logged in and the server's, a line each.
 *   <li>then in: what the server has said, nothing at first; out: {@code T} and what to say to it, {@code C} when that is the last.
 *   <li>in the place of either: {@code E} and a text in lines. Those of facts begin with a word and a tab; each other one is an
 *       exception, the next one its cause.
 * </ul>
 *
 * <p>Properties come in a frame since a command line is for all users of the host to see. Who the server is, is decided as
 * ZooKeeper 3.9 does it (SaslServerPrincipal, SecurityUtils).
 */
public final class KerberosLogin {
  /** Exit status when the agent is gone. */
  private static final int ABANDONED = 3;
  private static final int MOST_BYTES = 1 << 20;
  private static final int MOST_CAUSES = 8;
  private static final int MOST_CHARACTERS = 400;
  private static final String MODULE = "Krb5LoginModule";

  private final Frames frames;
  private String section;
  private String service;
  private String host;
  private String address;
  private boolean canonicalize;
  private String principal;
  private Subject subject;

  private KerberosLogin(Frames frames) {
    this.frames = frames;
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    // Also while Kerberos is waited for: an agent that is gone ends this process.
    Frames frames = new Frames(arguments[1]);
    frames.read(arguments[0], MOST_BYTES, () -> Runtime.getRuntime().halt(ABANDONED));
    new KerberosLogin(frames).run();
  }

  private void run() throws Exception {
    try {
      wish(frames.take());
      subject = logIn();
      String user = subject.getPrincipals().iterator().next().getName();
      String[] server = server();
      frames.say('L', (user + "\n" + server[0] + "/" + server[1]).getBytes(StandardCharsets.UTF_8));
      SaslClient client = as(subject, () -> client(user, server));
      while (!client.isComplete()) {
        byte[] said = frames.take();
        byte[] answer = as(subject, () -> client.evaluateChallenge(said));
        frames.say(client.isComplete() ? 'C' : 'T', answer == null ? new byte[0] : answer);
      }
      frames.take(); // until the agent has what it wants
    } catch (Throwable failure) {
      frames.say('E', String.join("\n", failed(failure)).getBytes(StandardCharsets.UTF_8));
    }
  }

  private void wish(byte[] frame) {
    ByteBuffer rest = ByteBuffer.wrap(frame);
    section = text(rest);
    service = text(rest);
    host = text(rest);
    address = text(rest);
    canonicalize = Boolean.parseBoolean(text(rest));
    principal = text(rest);
    while (rest.hasRemaining()) {
      String name = text(rest);
      String value = text(rest);
      if (!name.isEmpty()) {
        System.setProperty(name, value); // before any class that reads it
      }
    }
  }

  private static String text(ByteBuffer from) {
    byte[] bytes = new byte[from.getInt()];
    from.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private Subject logIn() throws Exception {
    LoginContext context = new LoginContext(section, KerberosLogin::name);
    context.login();
    Subject subject = context.getSubject();
    if (subject.getPrincipals().isEmpty()) {
      throw new IllegalStateException("the section logs in, and gives no principal");
    }
    if (Boolean.getBoolean("sun.security.jgss.native")) {
      // The system's library takes credentials of its own kind only.
      GSSManager manager = GSSManager.getInstance();
      Oid kerberos = new Oid("1.2.840.113554.1.2.2");
      int initiate = GSSCredential.INITIATE_ONLY;
      subject.getPrivateCredentials().add(
          as(subject, () -> manager.createCredential(null, GSSCredential.DEFAULT_LIFETIME, kerberos, initiate)));
    }
    return subject;
  }

  /** Who prompts is given the name of this user, as by ZooKeeper's client, and no password. */
  private static void name(Callback[] callbacks) {
    for (Callback callback : callbacks) {
      if (callback instanceof NameCallback) {
        NameCallback name = (NameCallback) callback;
        String offered = name.getDefaultName();
        name.setName(offered == null ? System.getProperty("user.name") : offered);
      }
    }
  }

  /** Its service and its host. The realm is what Java makes of the host. */
  private String[] server() throws UnknownHostException {
    if (!principal.isEmpty()) {
      int realm = principal.indexOf('@');
      String[] parts = (realm < 0 ? principal : principal.substring(0, realm)).split("/", 2);
      if (parts.length == 2) {
        return parts;
      }
    }
    InetAddress peer = InetAddress.getByName(address); // an address in digits: nobody is asked
    String name = host.equals(address) ? peer.getHostName() : host;
    if (canonicalize) {
      String canonical = peer.getCanonicalHostName();
      if (!canonical.equals(peer.getHostAddress())) {
        name = canonical;
      }
    }
    return new String[] {service, name};
  }

  private static SaslClient client(String user, String[] server) throws Exception {
    SaslClient client = Sasl.createSaslClient(new String[] {"GSSAPI"}, user, server[0], server[1], null, callbacks -> { });
    if (client == null) {
      throw new IllegalStateException("this Java has no SASL by GSSAPI");
    }
    return client;
  }

  private static <T> T as(Subject subject, PrivilegedExceptionAction<T> action) throws Exception {
    try {
      return Subject.doAs(subject, action);
    } catch (PrivilegedActionException e) {
      throw e.getException();
    }
  }

  private List<String> failed(Throwable failure) {
    List<String> lines = new ArrayList<>();
    try {
      facts(lines);
    } catch (RuntimeException | LinkageError unknown) {
      // What the section says cannot be looked at: the failure itself says so.
    }
    Throwable cause = failure;
    for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++) {
      String message = cause.getMessage();
      lines.add(line(cause.getClass().getName() + ": " + (message == null ? "" : message)));
      cause = cause.getCause();
    }
    return lines;
  }

  /** What of the section's files is not there. */
  private void facts(List<String> lines) {
    for (AppConfigurationEntry entry : Configuration.getConfiguration().getAppConfigurationEntry(section)) {
      if (!entry.getLoginModuleName().endsWith(MODULE)) {
        continue;
      }
      Map<String, ?> options = entry.getOptions();
      String user = option(options, "principal");
      if (!user.isEmpty()) {
        lines.add("principal\t" + line(user));
      }
      if (isSet(options, "useKeyTab") && !option(options, "keyTab").isEmpty()) {
        keytab(option(options, "keyTab"), user, lines);
      }
      if (isSet(options, "useTicketCache") && !option(options, "ticketCache").isEmpty()) {
        file("cache", withoutScheme(option(options, "ticketCache")), lines);
      }
    }
  }

  private static void keytab(String option, String user, List<String> lines) {
    String path = withoutScheme(option);
    if (!file("keytab", path, lines) && !user.isEmpty() && !user.equals("*")) {
      KeyTab keys = KeyTab.getInstance(new File(path));
      if (keys.getKeys(new KerberosPrincipal(user)).length == 0) {
        lines.add("keytab-without\t" + line(path));
      }
    }
  }

  /** Whether it is missing, or not for this user. */
  private static boolean file(String what, String path, List<String> lines) {
    File file = new File(path);
    if (!file.exists()) {
      lines.add(what + "-missing\t" + line(path));
    } else if (!file.canRead()) {
      lines.add(what + "-unreadable\t" + line(path));
    } else {
      return false;
    }
    return true;
  }

  private static String withoutScheme(String path) {
    return path.toUpperCase(Locale.ROOT).startsWith("FILE:") ? path.substring(5) : path;
  }

  private static boolean isSet(Map<String, ?> options, String name) {
    return Boolean.parseBoolean(option(options, name));
  }

  private static String option(Map<String, ?> options, String name) {
    Object value = options.get(name);
    return value == null ? "" : value.toString();
  }

  private static String line(String text) {
    String line = text.replaceAll("\\s+", " ").trim();
    return line.length() <= MOST_CHARACTERS ? line : line.substring(0, MOST_CHARACTERS) + "...";
  }
}
