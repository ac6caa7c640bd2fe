package org.acme;

import org.apache.flume.Channel;
import org.apache.flume.Event;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.Transaction;
import org.apache.flume.event.EventHelper;
import org.apache.flume.sink.AbstractSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An operator's sink: prints events as Flume's logger sink does. */
public class Printing extends AbstractSink {
  private static final Logger LOG = LoggerFactory.getLogger(Printing.class);

  @Override
  public Status process() throws EventDeliveryException {
    Channel channel = getChannel();
    Transaction transaction = channel.getTransaction();
    transaction.begin();
    try {
      Event event = channel.take();
      if (event != null) {
        LOG.info("Event: " + EventHelper.dumpEvent(event));
      }
      transaction.commit();
      return event == null ? Status.BACKOFF : Status.READY;
    } catch (Throwable failure) {
      transaction.rollback();
      throw new EventDeliveryException(failure);
    } finally {
      transaction.close();
    }
  }
}
