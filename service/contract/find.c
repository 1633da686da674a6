/* Operations by name. */
#include "service/contract/contract.h"

#include <string.h>

const contract_operation *contract_find(const char *id) {
    for (size_t i = 0; i < contract_operation_count; i++) {
        if (strcmp(contract_operations[i].id, id) == 0) {
            return &contract_operations[i];
        }
    }
    return NULL;
}
