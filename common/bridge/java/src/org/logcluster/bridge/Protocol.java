package org.logcluster.bridge;

/**
 * The numbers of the protocol. The native side has the same ones in {@code protocol.rs}.
 *
 * <p>A frame: int32 length of what follows, byte type, int32 component, payload in Avro's binary form. Component 0 is the
 * JVM itself.
 */
final class Protocol {
  /** The native side refuses another one. */
  static final int VERSION = 1;

  // Kinds of components, in CREATE.
  static final int SOURCE = 0;
  static final int SINK = 1;
  static final int INTERCEPTORS = 2;
  static final int CHANNEL = 3;
  static final int GROUP = 4;
  static final int FILTER = 5;
  static final int MONITOR = 6;

  // To the JVM.
  static final int CREATE = 0x02;
  static final int START = 0x03;
  static final int STOP = 0x04;
  static final int DISCARD = 0x05;
  static final int CALL = 0x10;
  static final int PROCESS = 0x20;
  static final int EVENTS = 0x21;
  static final int RECALL = 0x22;
  static final int PUT_RESULT = 0x31;
  static final int METRICS = 0x40;
  static final int PING = 0x41;
  static final int DUMP = 0x42;
  static final int RELEASE = 0x43;
  static final int C_PUT = 0x50;
  static final int C_TAKE = 0x51;
  static final int C_END = 0x52;
  static final int ANSWER = 0x60;
  static final int QUESTION = 0x70;
  static final int COUNTERS = 0x71;

  // From the JVM.
  static final int HELLO = 0x81;
  static final int CREATED = 0x82;
  static final int STARTED = 0x83;
  static final int STOPPED = 0x84;
  static final int ERROR = 0x8f;
  static final int RESULT = 0x90;
  static final int ACK = 0xa1;
  static final int NACK = 0xa2;
  static final int DONE = 0xa3;
  static final int RECALLED = 0xa4;
  static final int PUT = 0xb0;
  static final int METRICS_ARE = 0xc0;
  static final int PONG = 0xc1;
  static final int DUMPED = 0xc2;
  static final int LOG = 0xcd;
  static final int UNCAUGHT = 0xce;
  static final int EXITING = 0xcf;
  static final int C_TAKEN = 0xd0;
  static final int C_DONE = 0xd1;
  static final int ASK = 0xe0;
  static final int COUNT = 0xe1;
  static final int WORD = 0xf0;

  /** In RESULT, PUT and C_TAKEN: objects belong to the events, and their number comes first. */
  static final int OBJECTS = 0x08;

  // How process() ended, in DONE and ANSWER.
  static final int READY = 0;
  static final int BACKOFF = 1;
  static final int EXCEPTION = 2;
  static final int DEAD = 3;

  // How a transaction ended, in PUT_RESULT and C_DONE.
  static final int OK = 0;
  static final int FULL = 1;
  static final int REFUSED = 2;

  // What an event of a RESULT is made of.
  static final int UNCHANGED = 0;
  static final int NEW_HEADERS = 1;
  static final int SAME_HEADERS_AS_BEFORE = 2;

  // What an attribute of COUNTERS is.
  static final int LONG = 0;
  static final int DOUBLE = 1;
  static final int TEXT = 2;

  private Protocol() { }
}
