import java.util.*;
import org.apache.avro.util.Utf8;

/**
 * Prints the header order of real Java maps, one case a line, as java_order.tsv holds them:
 * origin TAB keys in the order written TAB keys as printed. Origin is the number of keys that came from a peer, the
 * rest were added by interceptors; or "born". The steps between the maps are those of Flume's avro source: the decoder's
 * HashMap(n) of Utf8, toStringMap's default map, EventBuilder's copy.
 *
 * java -cp avro-1.7.4.jar JavaOrder.java > java_order.tsv    (JDK 8 to 18)
 */
public class JavaOrder {
  static final String[] USUAL = {"Type", "Collector", "timestamp", "host", "file", "topic", "key", "uuid", "Severity",
      "Facility", "Aa", "BB", "AaAa", "BBBB", "AaBB", "级别", "größe", "\uD83D\uDE00", "", "a.b-c_d"};

  public static void main(String[] args) {
    Random random = new Random(7);
    for (int n = 0; n < 400; n++) {
      int size = n < 40 ? n : random.nextInt(n % 2 == 0 ? 6 : 34);
      LinkedHashSet<String> keys = new LinkedHashSet<>();
      while (keys.size() < size) {
        keys.add(random.nextInt(3) > 0 && size < 15 ? USUAL[random.nextInt(USUAL.length)] : "k" + random.nextInt(500));
      }
      List<String> written = new ArrayList<>(keys);
      int received = n % 4 == 0 ? -1 : random.nextInt(size + 1);
      Map<String, String> map = received < 0 ? new HashMap<>() : received(written.subList(0, received));
      written.subList(Math.max(received, 0), size).forEach(key -> map.put(key, "x"));
      String origin = received < 0 ? "born" : "" + received;
      System.out.println(origin + "\t" + String.join(",", written) + "\t" + String.join(",", map.keySet()));
    }
  }

  static Map<String, String> received(List<String> keys) {
    Map<CharSequence, CharSequence> decoded = new HashMap<>(keys.size());
    keys.forEach(key -> decoded.put(new Utf8(key), new Utf8("x")));
    Map<String, String> plain = new HashMap<>();
    decoded.forEach((key, value) -> plain.put(key.toString(), value.toString()));
    return new HashMap<>(plain);
  }
}
