package flumen.example;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/** What a shop pays for a payment: a share of the amount, rounded half up to cents, and a fixed part. */
public final class PaymentFee extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    public @DataTypeHint("DECIMAL(10, 2)") BigDecimal eval(
            String payment, @DataTypeHint("DECIMAL(10, 2)") BigDecimal amount) {
        switch (payment) {
            case "card":
                return fee(amount, "0.0140", "0.25");
            case "wallet":
                return fee(amount, "0.0249", "0.35");
            case "invoice":
                return fee(amount, "0.0295", "0.00");
            case "transfer":
                return fee(amount, "0.0000", "0.20");
            case "cash":
                return fee(amount, "0.0000", "0.00");
            default:
                throw new IllegalArgumentException("no fee is known for the payment " + payment);
        }
    }

    private static BigDecimal fee(BigDecimal amount, String share, String fixed) {
        BigDecimal part = amount.multiply(new BigDecimal(share)).setScale(2, RoundingMode.HALF_UP);
        return part.add(new BigDecimal(fixed));
    }
}
