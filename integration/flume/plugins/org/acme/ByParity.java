package org.acme;

import java.util.Collections;
import java.util.List;
import org.apache.flume.Channel;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.channel.AbstractChannelSelector;

/** An operator's channel selector: the last byte of a body is odd or even; a header asks for all as optional ones. */
public class ByParity extends AbstractChannelSelector {
  @Override
  public List<Channel> getRequiredChannels(Event event) {
    byte last = event.getBody()[event.getBody().length - 1];
    return Collections.singletonList(getAllChannels().get(last & 1));
  }

  @Override
  public List<Channel> getOptionalChannels(Event event) {
    return event.getHeaders().containsKey("all") ? getAllChannels() : Collections.<Channel>emptyList();
  }

  @Override
  public void configure(Context context) { }
}
