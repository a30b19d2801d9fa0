/* SPDX-License-Identifier: Apache-2.0 */
#include "export_worker.h"

int main(int argc, char **argv)
{
    return runtime_main(&export_worker, argc, argv);
}
