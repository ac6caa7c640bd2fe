import org.apache.log4j.Logger;

/** Logs numbered lines through Log4j 1; -Dlog4j.configuration says where to. Arguments: how many, a name. */
public final class Log4j1Lines {
  public static void main(String[] args) {
    Logger log = Logger.getLogger(Log4j1Lines.class);
    int count = Integer.parseInt(args[0]);
    for (int n = 0; n < count; n++) {
      log.info(args[1] + "-" + n);
    }
    System.out.println("logged " + count);
    System.exit(0);
  }
}
