import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** Logs numbered lines through Log4j 2; -Dlog4j2.configurationFile says where to. Arguments: how many, a name. */
public final class Log4j2Lines {
  public static void main(String[] args) {
    Logger log = LogManager.getLogger(Log4j2Lines.class);
    int count = Integer.parseInt(args[0]);
    for (int n = 0; n < count; n++) {
      log.info(args[1] + "-" + n);
    }
    System.out.println("logged " + count);
    LogManager.shutdown();
    System.exit(0);
  }
}
