package org.acme;

import java.util.Map;
import org.apache.flume.configfilter.AbstractConfigFilter;

/** An operator's config filter: gives a word in capitals, behind a prefix. */
public class Words extends AbstractConfigFilter {
  private String prefix;

  @Override
  public void initializeWithConfiguration(Map<String, String> configuration) {
    if (configuration.containsKey("type")) {
      throw new IllegalArgumentException("Flume gives a config filter no type");
    }
    prefix = configuration.getOrDefault("prefix", "");
  }

  @Override
  public String filter(String key) {
    switch (key) {
      case "nothing":
        return null;
      case "throw":
        throw new IllegalStateException("cannot look for " + key);
      case "exit":
        System.exit(9);
        return null;
      default:
        return prefix + key.toUpperCase();
    }
  }
}
