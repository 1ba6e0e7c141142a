package flumen.sql;

import java.lang.reflect.Method;
import java.util.Optional;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.internal.TableEnvironmentInternal;
import org.apache.flink.table.catalog.ObjectIdentifier;

/** Which catalogs a statement would change. */
final class Catalogs {
    private static final String IN_MEMORY = "org.apache.flink.table.catalog.GenericInMemoryCatalog";

    private Catalogs() {}

    /** Whether the statement changes no catalog but such as live and end with this process. */
    static boolean areOfThisProcess(TableEnvironment tables, String statement) throws Exception {
        for (Object operation : ((TableEnvironmentInternal) tables).getParser().parse(statement)) {
            String name = catalogOf(operation);
            Optional<?> catalog = name == null ? Optional.empty() : tables.getCatalog(name);
            if (!catalog.isPresent() || !catalog.get().getClass().getName().equals(IN_MEMORY)) {
                return false;
            }
        }
        return true;
    }

    /** Each operation has a method of its own name for what it is about; null if there is none. */
    private static String catalogOf(Object operation) throws ReflectiveOperationException {
        for (Method method : operation.getClass().getMethods()) {
            boolean isName = method.getName().equals("getCatalogName");
            if (method.getParameterCount() > 0 || !isName && method.getReturnType() != ObjectIdentifier.class) {
                continue;
            }
            Object found = method.invoke(operation);
            return found instanceof ObjectIdentifier ? ((ObjectIdentifier) found).getCatalogName() : (String) found;
        }
        return null;
    }
}
