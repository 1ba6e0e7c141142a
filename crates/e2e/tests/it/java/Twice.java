package user;

import org.apache.flink.table.functions.ScalarFunction;

/** A function that a script brings along. */
public class Twice extends ScalarFunction {
    public Integer eval(Integer number) {
        return 2 * number;
    }
}
