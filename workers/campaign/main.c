/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign_worker.h"

int main(int argc, char **argv)
{
    return runtime_main(&campaign_worker, argc, argv);
}
