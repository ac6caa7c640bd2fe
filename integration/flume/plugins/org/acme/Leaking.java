package org.acme;

import org.apache.flume.channel.BasicTransactionSemantics;
import org.apache.flume.channel.MemoryChannel;

/** An operator's channel, which keeps something of each transaction. */
public class Leaking extends MemoryChannel {
  @Override
  protected BasicTransactionSemantics createTransaction() {
    Leak.more();
    return super.createTransaction();
  }
}
